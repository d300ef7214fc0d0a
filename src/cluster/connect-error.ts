/** Why there is no client. `exitCode` is the process's: 1 general, 2 usage, 3 file not found. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly exitCode: 1 | 2 | 3;

  constructor(message: string, exitCode: 1 | 2 | 3) {
    super(message);
    this.exitCode = exitCode;
  }
}
