/** All Secrets in the files of SOPS that a command names: readable parts first, values once somebody asks for them. */
import { createLimiter } from '../cluster/limiter.ts';
import { decryptedDocuments, decryptedFormat } from '../migrate/sops-file.ts';
import { bytesOf } from '../migrate/sops-entries.ts';
import type { Decrypted } from '../migrate/sops-conversion.ts';
import type { Reading, SecretInFile } from '../migrate/sops-secrets.ts';
import { secretsIn } from '../migrate/sops-secrets.ts';
import { decryptWithSops } from '../upstream/sops-program.ts';
import type { Options } from './options.ts';
import { flagOption, listOption, textOption } from './options.ts';
import { printable } from './print.ts';
import type { Found, FoundFile } from './sops-files.ts';
import { findSopsFiles } from './sops-files.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, EXIT } from './terminal.ts';

export interface SopsPart {
  /** As people named it. */
  readonly file: string;
  readonly secret: SecretInFile;
  /** Its values; the first question for a file has SOPS decrypt all of it. Throws UpstreamError, CommandError. */
  open(): Promise<Decrypted>;
}

export interface SopsBundle extends Pick<Found, 'unreadable'> {
  readonly parts: readonly SopsPart[];
}

/** For one file: somebody may have to type a passphrase. */
const PATIENCE = 120_000;

/** Throws what the file system says, BadManifest and CommandError. */
export async function openSopsBundle(options: Options, terminal: Terminal): Promise<SopsBundle> {
  const { files, unreadable } = await findSopsFiles(listOption(options, 'files'), terminal.cwd);
  const named = textOption(options, 'name');
  // One at a time: two that ask for a passphrase would take each other's.
  const turn = createLimiter(1);
  const parts = files.flatMap((file) => {
    const reading = { name: named ?? file.name, flatten: flagOption(options, 'flatten') };
    const secrets = secretsIn(file.content.documents, reading);
    let opened: Promise<Opened> | undefined;
    return secrets.map((secret): SopsPart => ({
      file: printable(file.shown),
      secret,
      async open() {
        opened ??= turn(async () => decrypted(file, reading, { options, terminal }));
        return checked(secret, (await opened).get(secret.id), file);
      },
    }));
  });
  if (named !== undefined && parts.filter(({ secret }) => secret.kind === 'SOPS file').length > 1) {
    throw new CommandError('--name is for one file of keys and values', EXIT.usage);
  }
  return { parts, unreadable };
}

/** Values by the id of the Secret in the file. */
type Opened = ReadonlyMap<string, Decrypted>;

/** What is decrypted must be what was planned. */
function checked({ entries }: SecretInFile, values: Decrypted | undefined, { shown }: FoundFile): Decrypted {
  const keys = entries.map(({ key }) => key);
  if (values !== undefined && values.size === keys.length && keys.every((key) => values.has(key)))
    return values;
  const problem = 'what SOPS decrypted has other keys than the file that was read';
  throw new CommandError(`${printable(shown)}: ${problem}: run it again`, EXIT.general);
}

interface Asking {
  readonly options: Options;
  readonly terminal: Terminal;
}

async function decrypted(
  { path, shown, content }: FoundFile,
  reading: Reading,
  { options, terminal }: Asking,
): Promise<Opened> {
  const { format, recipients } = content;
  const output = decryptedFormat(content);
  const asked = { path, shown: printable(shown), input: format, output, recipients };
  const text = await decryptWithSops(asked, {
    program: textOption(options, 'sops') ?? 'sops',
    env: terminal.env,
    cwd: terminal.cwd,
    timeoutMs: PATIENCE,
    signal: terminal.interrupted,
  });
  const secrets = secretsIn(decryptedDocuments(text, shown, output), reading);
  return new Map(
    secrets.map(({ id, entries }) => [id, new Map(entries.map((entry) => [entry.key, bytesOf(entry)]))]),
  );
}
