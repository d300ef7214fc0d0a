/** `floe-secrets migrate sops`: what files of SOPS hold goes to Infisical, which keeps their Secrets from then on. */
import { createLimiter } from '../cluster/limiter.ts';
import { objectPath } from '../cluster/paths.ts';
import { readObject } from '../cluster/read-object.ts';
import type { JsonObject } from '../kube/json.ts';
import { CONFIG_MAP, SECRET } from '../kube/object.ts';
import type { Conversion } from '../migrate/conversion.ts';
import { recordName } from '../migrate/names.ts';
import { recordOf } from '../migrate/record.ts';
import type { Decrypted } from '../migrate/sops-conversion.ts';
import { convertSopsSecret } from '../migrate/sops-conversion.ts';
import { changedKeys, standingSecret } from '../migrate/standing-secret.ts';
import type { Neighbours } from './migrate-neighbours.ts';
import { readNeighbours } from './migrate-neighbours.ts';
import type { Gathered, Looking, MigrationSource } from './migrate-source.ts';
import { runMigration } from './migrate.ts';
import type { Options } from './options.ts';
import { flagOption, textOption } from './options.ts';
import { printable } from './print.ts';
import type { SopsBundle, SopsPart } from './sops-bundle.ts';
import { openSopsBundle } from './sops-bundle.ts';
import type { Terminal } from './terminal.ts';
import { guarded } from './terminal.ts';

export async function run(options: Options, terminal: Terminal): Promise<number> {
  return guarded(terminal, async () => {
    const bundle = await openSopsBundle(options, terminal);
    return runMigration(optionsFor(bundle, options), terminal, sourceOf(bundle));
  });
}

/** The frame asks for records by the names of Secrets, in one namespace or in all. */
function optionsFor({ parts }: SopsBundle, options: Options): Options {
  const ofPast = flagOption(options, 'rollback') || flagOption(options, 'finish');
  const names = ofPast ? parts.map(({ secret }) => secret.name) : [];
  const asked = textOption(options, 'namespace');
  const [only, ...others] = new Set(
    parts.map(({ secret }) => (secret.namespace === '' ? asked : secret.namespace)),
  );
  const place = others.length > 0 ? { allNamespaces: true } : only === undefined ? {} : { namespace: only };
  return { ...options, names, ...place };
}

function sourceOf(bundle: SopsBundle): MigrationSource {
  const values = new Map<string, Decrypted>();
  const names = new Set(bundle.parts.map(({ secret }) => secret.name));
  return {
    noun: 'SOPS secret',
    gather: async (looking) => gather(bundle, looking, values),
    owns: ({ from, secret }) => from === undefined && names.has(secret),
    valuesFor: async ({ namespace, secret, copy }) => {
      const decrypted = values.get(`${namespace}/${secret}`) ?? new Map<string, undefined>();
      const keys = copy?.keys ?? [];
      return Object.fromEntries(
        keys.map((key) => {
          const bytes = Buffer.from(decrypted.get(key) ?? []);
          return [key, bytes.toString(copy?.encoded.includes(key) === true ? 'base64' : 'utf8')];
        }),
      );
    },
  };
}

const AT_ONCE = 8;

async function gather(
  bundle: SopsBundle,
  looking: Looking,
  values: Map<string, Decrypted>,
): Promise<Gathered> {
  const neighbours = await readNeighbours(looking);
  const limit = createLimiter(AT_ONCE);
  const made = await Promise.all(
    bundle.parts.map((part) => limit(async () => converted(part, { looking, neighbours, values }))),
  );
  const conversions = [...made.flat(), ...bundle.unreadable.map(unreadable)];
  return { conversions: refusingTwins(conversions), failures: neighbours.failures };
}

interface Gathering {
  readonly looking: Looking;
  readonly neighbours: Neighbours;
  readonly values: Map<string, Decrypted>;
}

/** None where it is done already, which its record tells. */
async function converted(part: SopsPart, gathering: Gathering): Promise<readonly Conversion[]> {
  const { looking, neighbours, values } = gathering;
  const { secret, file } = part;
  const namespace =
    secret.namespace === '' ? (looking.namespace ?? looking.client.namespace) : secret.namespace;
  const around = neighbours.of(namespace, secret.name);
  const base = { ...around, file, secret, namespace };
  if (secret.obstacles.length > 0) {
    return [convertSopsSecret({ ...base, standing: undefined, values: undefined, changed: [] })];
  }
  const [raw, record] = await Promise.all([
    read(looking, objectPath(SECRET, namespace, secret.name)),
    read(looking, objectPath(CONFIG_MAP, namespace, recordName({ secret: secret.name }))),
  ]);
  const known = recordOf(record);
  if (known?.state === 'closed' && known.problem === undefined) return [];
  // The plan does without the key: everything but the values can be read.
  const { options } = looking;
  const isDue = flagOption(options, 'apply') && !flagOption(options, 'dryRun');
  const decrypted = isDue ? await part.open() : undefined;
  if (decrypted !== undefined) values.set(`${namespace}/${secret.name}`, decrypted);
  return [
    convertSopsSecret({
      ...base,
      standing: raw === undefined ? undefined : standingSecret(raw),
      values: decrypted,
      changed: raw === undefined || decrypted === undefined ? [] : changedKeys(raw, decrypted),
    }),
  ];
}

async function read({ client }: Looking, path: string | undefined): Promise<JsonObject | undefined> {
  return path === undefined ? undefined : readObject(client, path);
}

function unreadable({ shown, why }: SopsBundle['unreadable'][number]): Conversion {
  return {
    namespace: '',
    secret: shown,
    kind: 'SOPS file',
    name: printable(shown),
    source: '',
    obstacles: [{ where: '', why }],
    notes: [],
  };
}

/** Two files for one Secret: neither is taken, because nobody knows which is meant. */
function refusingTwins(conversions: readonly Conversion[]): readonly Conversion[] {
  return conversions.map((conversion) => {
    const { namespace, secret, source, obstacles } = conversion;
    const twins = conversions.filter((one) => one.namespace === namespace && one.secret === secret);
    const others = twins.filter((one) => one !== conversion).map((one) => one.source);
    if (others.length === 0 || secret === '') return conversion;
    const why = `Secret '${secret}' is in ${[source, ...others].toSorted().join(' and in ')}`;
    const fix = 'migrate one of them, or give another name with --name';
    return { ...conversion, obstacles: [...obstacles, { where: '', why, fix }] };
  });
}
