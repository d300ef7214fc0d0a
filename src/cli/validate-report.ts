/** The results of `validate` as people and as scripts read them. */
import { isDnsSubdomain } from '../kube/names.ts';
import type { Finding } from '../review/decision.ts';
import { counted, listDocument, printable } from './print.ts';
import type { Style } from './review-report.ts';
import { findingItem, findingLine } from './review-report.ts';
import type { UpstreamAnswer } from './ask-upstream.ts';
import { lacks } from './ask-upstream.ts';
import type { Validated } from './validate-secrets.ts';

/** What was looked at, and what there is to say. */
export interface Validation {
  readonly file: string;
  readonly namespace: string;
  readonly secrets: readonly Validated[];
}

export function isWrong({ findings, upstream = [] }: Validated): boolean {
  return findings.some((finding) => finding.severity === 'error') || upstream.some(lacks);
}

/** A line a Secret, what is wrong with it below, and the count. */
export function validateText({ file, namespace, secrets }: Validation, style: Style): string {
  const lines = secrets.flatMap((secret) => secretLines(secret, namespace, style));
  const heading = `Validating secret references in ${printable(file)}...`;
  return [heading, ...lines, '', countLine(secrets), ''].join('\n');
}

function secretLines(secret: Validated, namespace: string, style: Style): readonly string[] {
  const { paint, symbols } = style;
  const mark = isWrong(secret) ? paint('red', symbols.bad) : paint('green', symbols.good);
  const said = secret.findings.filter((finding) => !isPlain(finding));
  return [
    `${mark} ${printable(secret.name)}: ${standing(secret)}`,
    ...said.map((finding) => findingLine(finding, style)),
    ...(secret.elsewhere ? [elsewhereLine(secret, namespace, style)] : []),
    ...(secret.upstream ?? []).map((answer) => upstreamLine(answer, style)),
  ];
}

/** 'exists, 3 keys', 'NOT FOUND', or the state where it says more. */
function standing({ record, state }: Validated): string {
  if (record === undefined) return state === 'Unknown' ? 'UNKNOWN' : 'NOT FOUND';
  const keys = record.keysComplete ? `, ${counted(record.keys.length, 'key')}` : '';
  return `exists${keys}${state === 'KeysMissing' ? ', KEY NOT FOUND' : ''}`;
}

/** That nothing is there and nothing claims it is said by the line itself. */
function isPlain({ code }: Finding): boolean {
  return code === 'FLOE-E801';
}

function elsewhereLine(secret: Validated, namespace: string, { paint, symbols }: Style): string {
  const where = `it is in namespace '${secret.namespace}', and pods of namespace '${namespace}' cannot refer to it`;
  return `  ${paint('yellow', symbols.warning)} ${printable(where)}`;
}

/** 'upstream: Infisical floe-platform/prod/compute, 3 keys', or what is not there. */
function upstreamLine(answer: UpstreamAnswer, { paint, symbols }: Style): string {
  const { place, keys = [], missingKeys, error } = answer;
  const missing = missingKeys.length === 0 ? '' : `, NOT FOUND: ${missingKeys.join(', ')}`;
  const words = error?.message ?? `${place}, ${counted(keys.length, 'key')}${missing}`;
  const good = error === undefined ? paint('green', symbols.good) : paint('yellow', symbols.warning);
  return `  ${lacks(answer) ? paint('red', symbols.bad) : good} ${printable(`upstream: ${words}`)}`;
}

function countLine(secrets: readonly Validated[]): string {
  if (secrets.length === 0) return 'No secret references found.';
  const wrong = secrets.filter(isWrong);
  if (wrong.length === 0) return `All ${counted(secrets.length, 'reference')} found.`;
  const create = wrong.filter(isMissing).map((secret) => `'${createCommand(secret)}'`);
  const fix = create.length === 0 ? '' : ` Run ${create.join(', ')} to fix.`;
  return `${counted(wrong.length, 'error')} found.${fix}`;
}

/** What `create` can mend: a Secret that nothing claims, of a name that a Secret can have. */
function isMissing({ state, name }: Validated): boolean {
  return state === 'Missing' && isDnsSubdomain(name);
}

function createCommand({ name, namespace, elsewhere }: Validated): string {
  return `floe-secrets create ${name}${elsewhere ? ` -n ${namespace}` : ''}`;
}

/** The contract's document; what is not known is null. */
export function validateDocument({ file, namespace, secrets }: Validation): object {
  const errors = secrets.filter(isWrong).length;
  const warnings = secrets
    .flatMap(({ findings }) => findings)
    .filter((finding) => finding.severity === 'warning');
  return listDocument('ValidateList', secrets.map(secretItem), {
    manifest: file,
    namespace,
    references: secrets.length,
    found: secrets.length - errors,
    errors,
    warnings: warnings.length,
  });
}

function secretItem(secret: Validated): object {
  const { namespace, name, state, record, places, findings, upstream } = secret;
  return {
    namespace,
    name,
    exists: state === 'Unknown' ? null : record !== undefined,
    state,
    keys: record?.keysComplete === true ? record.keys.length : null,
    references: places.map(({ reference, line }) => ({ field: reference.field, line, keys: reference.keys })),
    findings: findings.map(findingItem),
    ...(upstream === undefined ? {} : { upstream: upstream.map(upstreamItem) }),
  };
}

function upstreamItem({ place, keys, missingKeys, error }: UpstreamAnswer): object {
  return {
    place,
    keys: keys?.length ?? null,
    missingKeys,
    error: error === undefined ? null : { code: error.upstream, message: error.message },
  };
}
