/** Sync resources in sentences: their titles, their operators' words, what helps. */
import type { Claim } from './claims.ts';
import { cleanWords } from './findings.ts';

/** "InfisicalSecret 'snowflake'", with the namespace where it is another one. */
export function titleOf(claim: Pick<Claim, 'object' | 'namespace' | 'name'>, here: string): string {
  const elsewhere =
    claim.namespace === here || claim.namespace === '' ? '' : ` of namespace '${claim.namespace}'`;
  return `${claim.object.kind.kind} '${claim.name}'${elsewhere}`;
}

const SHOWN_TITLES = 5;

/** The first of them, in one line. */
export function titlesOf(claims: readonly Claim[], here: string): string {
  const shown = claims.slice(0, SHOWN_TITLES).map((claim) => titleOf(claim, here));
  const more = claims.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** "InfisicalSecret 'snowflake' reports …=False (…)": the operator's own words, cleaned. */
export function reportOf(claim: Claim, here: string): string {
  const title = titleOf(claim, here);
  const { refused, verdict, words, clause, cause, generation, restraint } = claim.health;
  if (refused !== undefined) return `${title} will never write it: ${cleanWords(refused)}`;
  if (restraint?.from === 'write') return `${title} will never write it: ${cleanWords(restraint.why)}`;
  if (verdict === 'none' && clause === undefined) return `${title} has no status yet`;
  if (generation === 'behind') return `${title} was edited and its operator has not read that yet`;
  const said = `${title} ${clause === undefined ? `reports ${cleanWords(steady(words))}` : cleanWords(clause)}`;
  return cause === undefined ? said : `${said}; ${cleanWords(steady(cause))}`;
}

/** The same of a Secret that is not there: what its author forbade it comes first. */
export function reportOfAbsent(claim: Claim, here: string): string {
  const { refused, restraint } = claim.health;
  if (refused !== undefined || restraint === undefined) return reportOf(claim, here);
  return `${titleOf(claim, here)} will never create it: ${cleanWords(restraint.why)}`;
}

/** What a person does next about a sync resource: what its plugin knows to help, else to look at it. */
export function remedyOf(claim: Claim): string {
  return claim.health.remedy === undefined ? describeCommand(claim) : cleanWords(claim.health.remedy);
}

function describeCommand({ object, namespace, name }: Claim): string {
  const within = namespace === '' ? '' : ` -n ${namespace}`;
  return `kubectl describe ${object.kind.kind.toLowerCase()} ${name}${within}`;
}

/** What is new at every retry: request ids, times, source ports. Messages must stay the same for Events to add up. */
const PASSING =
  /\breq-[0-9A-Za-z]+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)|(?<=:)\d+(?=->)/g;

/** No more of them is ever shown, whatever is taken out. */
const LOOKED_AT = 4_000;

function steady(words: string): string {
  return words.slice(0, LOOKED_AT).replaceAll(PASSING, '…');
}

/** 'InfisicalSecret/floe-jobs/snowflake', for audit lines. */
export function referenceTo(claim: Claim): string {
  return `${claim.object.kind.kind}/${claim.namespace}/${claim.name}`;
}
