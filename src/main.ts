/** argv → command → exit code. */
import manifest from '../package.json' with { type: 'json' };
import { runProgram } from './cli/program.ts';
import { exitCodeOf } from './cli/terminal.ts';

const { stdout, stderr, stdin, env, argv } = process;
// A reader such as `head` that has seen enough is no failure.
stdout.on('error', () => process.exit());

try {
  process.exitCode = await runProgram(argv.slice(2), {
    terminal: { stdout, stderr, stdin, env, cwd: process.cwd() },
    version: manifest.version,
    serve: async (config, options) => (await import('./serve.ts')).serve(config, options),
  });
} catch (error) {
  const debug = env['FLOE_SECRETS_DEBUG'] !== undefined && error instanceof Error;
  stderr.write(`Error: ${debug ? error.stack : error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
// All is said. What a library still tries, such as the SDK of a store that does not answer, must not keep the process.
setTimeout(() => process.exit(), 500).unref();
