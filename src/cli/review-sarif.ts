/** The results of `review` as SARIF 2.1.0, within what GitHub's code scanning takes. */
import { isAbsolute, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROGRAM } from '../contract/keys.ts';
import type { Code } from '../contract/reasons.ts';
import { REASONS } from '../contract/reasons.ts';
import { FINGERPRINT } from './baseline.ts';
import type { Reviewed, ReviewedFinding } from './review-report.ts';

/** GitHub refuses a run with more; errors come first. */
export const MOST_RESULTS = 25_000;

interface Terms {
  readonly version: string | undefined;
  readonly cwd: string;
}

interface Placed {
  readonly result: Reviewed;
  readonly reviewed: ReviewedFinding;
}

export function reviewSarif(results: readonly Reviewed[], { version, cwd }: Terms): object {
  const all = results.flatMap((result) => result.reviewed.map((reviewed) => ({ result, reviewed })));
  const kept = [...all.filter(isError), ...all.filter((one) => !isError(one))].slice(0, MOST_RESULTS);
  const codes = [...new Set(kept.map(({ reviewed }) => reviewed.finding.code))].toSorted();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: PROGRAM,
            ...(version === undefined ? {} : { semanticVersion: version }),
            rules: codes.map(ruleOf),
          },
        },
        automationDetails: { id: `${PROGRAM}/review/` },
        columnKind: 'utf16CodeUnits',
        results: kept.map((one) => resultOf(one, codes, cwd)),
      },
    ],
  };
}

/** Of an object that is allowed nothing is an error: it is warned of. */
function isError({ result, reviewed }: Placed): boolean {
  return !result.allowed && reviewed.finding.severity === 'error';
}

function ruleOf(code: Code): object {
  const { severity, meaning } = REASONS[code];
  const words = meaning.replaceAll('`', '');
  return {
    id: code,
    name: code.replace('-', ''),
    shortDescription: { text: `${words[0]?.toUpperCase()}${words.slice(1)}` },
    defaultConfiguration: { level: severity },
    properties: { tags: ['secrets', 'kubernetes'] },
  };
}

function resultOf(one: Placed, codes: readonly Code[], cwd: string): object {
  const { subject } = one.result;
  const { finding, line, fingerprint, isKnown } = one.reviewed;
  return {
    ruleId: finding.code,
    ruleIndex: codes.indexOf(finding.code),
    level: isError(one) ? 'error' : 'warning',
    message: { text: finding.message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: locationOf(subject.manifest.file, cwd),
          region: { startLine: line },
        },
        logicalLocations: [
          { fullyQualifiedName: `${subject.namespace}/${subject.kind}/${subject.name}`, kind: 'object' },
        ],
      },
    ],
    partialFingerprints: { [FINGERPRINT]: fingerprint },
    baselineState: isKnown ? 'unchanged' : 'new',
  };
}

/** Relative to where the command runs, as code scanning wants it. */
function locationOf(file: string, cwd: string): object {
  const path = isAbsolute(file) ? relative(cwd, file) : file;
  if (isAbsolute(path) || path.startsWith('..')) return { uri: pathToFileURL(file).href };
  const uri = path.split(sep).map(encodeURIComponent).join('/');
  return { uri: path === '-' ? 'stdin' : uri, uriBaseId: '%SRCROOT%' };
}
