/** What a sync resource of Infisical reads and writes, and what of it no resource of another operator could say. */
import type { Json } from '../kube/json.ts';
import { asArray, asObject, dig, flag, get, isObject, text } from '../kube/json.ts';
import type { KubeObject } from '../kube/object.ts';
import { namespaceOf } from '../kube/object.ts';
import type { Obstacle } from './conversion.ts';

/** One key of the Secret, and the secret of the folder that it is. */
export interface KeyReading {
  readonly key: string;
  readonly secret: string;
  /** Whether the folder keeps it as base64. */
  readonly decodes: boolean;
}

export interface InfisicalReading {
  /** Undefined where the resource does not say, but what is behind it. */
  readonly hostAPI: string | undefined;
  /** Slug; '' where it names an id. */
  readonly project: string;
  readonly environment: string;
  readonly path: string;
  readonly recursive: boolean;
  /** The name of the Secret. */
  readonly secret: string;
  readonly owns: boolean;
  /** Undefined: everything in the folder, under its own name. */
  readonly keys: readonly KeyReading[] | undefined;
  readonly isInstant: boolean;
  /** What else it writes than one Secret in its own namespace: nobody can be handed that. */
  readonly others: readonly Obstacle[];
  /** What of it no ExternalSecret could say. */
  readonly obstacles: readonly Obstacle[];
}

/** Of an InfisicalSecret (v1alpha1) or an InfisicalStaticSecret (v1beta1). */
export function readingOf({ kind, raw }: KubeObject): InfisicalReading {
  const spec = get(raw, 'spec');
  const { source, target, isInstant, others, obstacles } =
    kind.kind === 'InfisicalStaticSecret' ? partsOfStatic(spec) : partsOfOlder(spec);
  const template = keysOf(get(target.json, 'template'), `${target.where}.template`);
  const project = text(source.json, 'projectSlug') ?? '';
  return {
    hostAPI: text(spec, 'hostAPI'),
    project,
    environment: text(source.json, 'envSlug') ?? text(source.json, 'environmentSlug') ?? '',
    path: text(source.json, 'secretsPath') ?? text(source.json, 'secretPath') ?? '/',
    recursive: flag(source.json, 'recursive'),
    secret: text(target.json, 'secretName') ?? text(target.json, 'name') ?? '',
    owns: text(target.json, 'creationPolicy') === 'Owner',
    keys: template.keys,
    isInstant,
    others: [...others, ...elsewhere(target, namespaceOf(raw))],
    obstacles: [
      ...obstacles,
      ...(project === '' ? [noSlug(source.where)] : []),
      ...unknownIn(source, SOURCE_FIELDS),
      ...unknownIn(target, TARGET_FIELDS),
      ...template.obstacles,
    ],
  };
}

/** A part of a spec, and where it stands. */
interface Part {
  readonly where: string;
  readonly json: Json | undefined;
}

interface Parts {
  readonly source: Part;
  readonly target: Part;
  readonly isInstant: boolean;
  readonly others: readonly Obstacle[];
  readonly obstacles: readonly Obstacle[];
}

function partsOfOlder(spec: Json | undefined): Parts {
  const authentication = asObject(get(spec, 'authentication'));
  const [method = ''] = Object.keys(authentication);
  const single = get(spec, 'managedSecretReference');
  const targets = [
    ...(isObject(single) ? [{ where: 'spec.managedSecretReference', json: single }] : []),
    ...asArray(get(spec, 'managedKubeSecretReferences')).map((json, index) => ({
      where: `spec.managedKubeSecretReferences[${index}]`,
      json,
    })),
  ];
  const maps = asArray(get(spec, 'managedKubeConfigMapReferences')).length > 0;
  const { target, others } = onlyTarget(targets);
  return {
    source: {
      where: `spec.authentication.${method}.secretsScope`,
      json: dig(authentication, method, 'secretsScope'),
    },
    isInstant: flag(get(spec, 'syncConfig'), 'instantUpdates'),
    target,
    others: [...others, ...(maps ? [configMap('spec.managedKubeConfigMapReferences')] : [])],
    obstacles: [],
  };
}

function partsOfStatic(spec: Json | undefined): Parts {
  const sources = asArray(get(spec, 'sources'));
  const targets = asArray(get(spec, 'targets')).map((json, index) => ({
    where: `spec.targets[${index}]`,
    json,
  }));
  const map = targets.find(({ json }) => text(json, 'kind') === 'ConfigMap');
  const several: Obstacle = { where: 'spec.sources', why: 'it reads several folders, and a store is of one' };
  const { target, others } = onlyTarget(targets);
  return {
    source: { where: 'spec.sources[0]', json: sources[0] },
    isInstant: flag(get(spec, 'syncOptions'), 'instantUpdates'),
    target,
    others: [...others, ...(map === undefined ? [] : [configMap(map.where)])],
    obstacles: sources.length > 1 ? [several] : [],
  };
}

function onlyTarget(targets: readonly Part[]): Pick<Parts, 'target' | 'others'> {
  const [target = { where: 'spec', json: undefined }, ...more] = targets;
  const fix = 'give each Secret a resource of its own first';
  if (more.length > 0) {
    return { target, others: [{ where: 'spec', why: 'it writes several objects', fix }] };
  }
  const nothing = { where: 'spec', why: 'it writes no Secret' };
  return { target, others: target.json === undefined ? [nothing] : [] };
}

function configMap(where: string): Obstacle {
  return { where, why: 'it writes a ConfigMap, and only Secrets are handed over' };
}

function noSlug(where: string): Obstacle {
  return {
    where,
    why: 'it does not name its project by slug, and a store does',
    fix: 'give projectSlug in the place of projectId',
  };
}

const SOURCE_FIELDS = [
  'projectSlug',
  'projectId',
  'envSlug',
  'environmentSlug',
  'secretsPath',
  'secretPath',
  'recursive',
];
const TARGET_FIELDS = [
  'secretName',
  'secretNamespace',
  'name',
  'namespace',
  'kind',
  'secretType',
  'creationPolicy',
  'template',
];

/** What is not known here is not dropped in silence. */
function unknownIn({ where, json }: Part, known: readonly string[]): readonly Obstacle[] {
  return Object.keys(asObject(json))
    .filter((field) => !known.includes(field))
    .map((field) => ({ where: `${where}.${field}`, why: 'no ExternalSecret says the same' }));
}

function elsewhere({ where, json }: Part, home: string): readonly Obstacle[] {
  const place = text(json, 'secretNamespace') ?? text(json, 'namespace') ?? home;
  const why = `its Secret is in namespace '${place}', and what takes over writes in its own`;
  return place === home ? [] : [{ where, why }];
}

interface Keys {
  readonly keys: readonly KeyReading[] | undefined;
  readonly obstacles: readonly Obstacle[];
}

/** The template's keys, where each of them is one secret of the folder as it is. */
function keysOf(template: Json | undefined, where: string): Keys {
  if (!isObject(template)) return { keys: undefined, obstacles: [] };
  const obstacles: Obstacle[] = [
    ...unknownIn({ where, json: template }, ['includeAllSecrets', 'engineVersion', 'data']),
  ];
  const data = Object.entries(asObject(get(template, 'data')));
  if (data.length === 0) return { keys: undefined, obstacles };
  if (flag(template, 'includeAllSecrets')) {
    obstacles.push({
      where: `${where}.includeAllSecrets`,
      why: 'the whole folder and keys of a template besides',
    });
  }
  const keys: KeyReading[] = [];
  for (const [key, written] of data) {
    const operand = typeof written === 'string' ? operandIn(written) : undefined;
    if (operand === undefined) {
      obstacles.push({
        where: `${where}.data.${key}`,
        why: 'it is more than one secret of the folder as it is',
        fix: 'store the value that it makes in the folder first',
      });
    } else keys.push({ key, ...operand });
  }
  return { keys, obstacles };
}

/** '{{ .PASSWORD.Value }}', '{{ decodeBase64ToBytes (index . "tls.crt").Value }}'. */
const OPERAND =
  /^\{\{ *(?<decodes>decodeBase64ToBytes +)?(?:\.(?<name>[A-Za-z_]\w*)|\(index +\. +"(?<quoted>[\w.-]+)"\))\.Value *\}\}$/;

function operandIn(written: string): Pick<KeyReading, 'secret' | 'decodes'> | undefined {
  const { decodes, name, quoted } = OPERAND.exec(written)?.groups ?? {};
  const secret = name ?? quoted;
  return secret === undefined ? undefined : { secret, decodes: decodes !== undefined };
}
