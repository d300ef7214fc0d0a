/**
 * What a plain text in YAML means to Kubernetes' reader (sigs.k8s.io/yaml, go-yaml v2): 1.1, where `off` is a
 * boolean and `0400` is octal, but without times and sexagesimal numbers, and with stricter numbers.
 */
import type { ScalarTag, Tags } from 'yaml';

const TAG = 'tag:yaml.org,2002:';

/** Types of YAML 1.1 that go-yaml leaves texts, and the numbers that it reads otherwise than the library. */
const REPLACED: ReadonlySet<string> = new Set(
  ['binary', 'omap', 'pairs', 'set', 'timestamp', 'float'].map((name) => TAG + name),
);

/** go-yaml's own pattern: to the library `e1` and a lone dot are numbers too, and neither is one of JSON. */
const FLOAT: ScalarTag = {
  tag: `${TAG}float`,
  default: true,
  identify: (value) => typeof value === 'number',
  test: /^[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/,
  resolve: (text) => Number(text.replaceAll('_', '')),
};

/** YAML 1.2's octals, which go-yaml reads as well. */
export const OCTAL: ScalarTag = {
  tag: `${TAG}int`,
  default: true,
  format: 'OCT',
  test: /^0o[0-7]+$/,
  resolve: (text) => Number(text),
};

/** The library's tags of YAML 1.1, as Kubernetes knows them. */
export function kubernetesTags(tags: Tags): Tags {
  const kept = tags.filter((tag) => typeof tag === 'string' || !isReplaced(tag));
  return [...kept, OCTAL, FLOAT];
}

function isReplaced(tag: Exclude<Tags[number], string>): boolean {
  return REPLACED.has(tag.tag) || ('format' in tag && tag.format === 'TIME');
}
