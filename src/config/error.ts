/** Why there is no Config. `exitCode` is the process's: 2 for what is written wrongly, 3 for a file not found. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode: 2 | 3;

  constructor(message: string, exitCode: 2 | 3 = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}
