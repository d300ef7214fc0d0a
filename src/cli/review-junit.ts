/** The results of `review` as JUnit XML: a test case an object, which fails where the object is denied. */
import { PROGRAM } from '../contract/keys.ts';
import type { Reviewed } from './review-report.ts';
import { printable } from './printable.ts';
import { isFailed } from './review-report.ts';

export function reviewJunit(results: readonly Reviewed[]): string {
  const failures = results.filter(isFailed).length;
  const counts = `tests="${results.length}" failures="${failures}" errors="0" skipped="0"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${PROGRAM}" ${counts}>`,
    `  <testsuite name="review" ${counts}>`,
    ...results.flatMap(caseLines),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseLines(result: Reviewed): readonly string[] {
  const { subject, reviewed } = result;
  const { file, line } = subject.manifest;
  const name = escaped(printable(`${subject.kind} ${subject.namespace}/${subject.name}`));
  const place = escaped(printable(file));
  const open = `    <testcase classname="${place}" name="${name}" file="${place}" line="${line}"`;
  const lines = reviewed.map(({ finding, line: at }) =>
    printable(`${file}:${at}: ${finding.severity}: ${finding.message}`),
  );
  if (lines.length === 0) return [`${open}/>`];
  const words = escaped(lines.join('\n'));
  const first = reviewed.find(({ finding, isKnown }) => finding.severity === 'error' && !isKnown)?.finding;
  const inner =
    isFailed(result) && first !== undefined
      ? `      <failure type="${first.code}" message="${escaped(first.summary)}">${words}</failure>`
      : `      <system-out>${words}</system-out>`;
  return [`${open}>`, inner, '    </testcase>'];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

// oxlint-disable-next-line no-control-regex -- XML 1.0 has no way to write them
const UNWRITABLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

function escaped(words: string): string {
  return words
    .toWellFormed()
    .replaceAll(UNWRITABLE, ' ')
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
