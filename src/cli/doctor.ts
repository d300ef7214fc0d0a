/** `floe-secrets doctor`: every check of the installation, with what mends it. */
import type { Client } from '../cluster/client.ts';
import { diagnose } from '../cluster/diagnosis.ts';
import { isRefused } from '../cluster/failure.ts';
import { findInstallation } from '../cluster/find-installation.ts';
import type { Finding } from '../cluster/patient.ts';
import { DEFAULT_INSTALL_NAMESPACE } from '../contract/keys.ts';
import { withClient } from './observe.ts';
import type { Options } from './options.ts';
import { formatOption, textOption } from './options.ts';
import type { Colour, Format } from './print.ts';
import { counted, listDocument, painter, printable, structured, symbols } from './print.ts';
import type { Terminal } from './terminal.ts';
import { EXIT, guarded, worstExit } from './terminal.ts';

const FORMATS: readonly Format[] = ['text', 'json', 'yaml'];

/** Exit code 5 where a check failed, 4 where one needs a permission that is not there. */
export async function run(options: Options, terminal: Terminal, version: string): Promise<number> {
  return guarded(terminal, async () => {
    const format = formatOption(options, FORMATS);
    const name = textOption(options, 'name') ?? '';
    const findings = await withClient(options, terminal, async (client) => {
      const namespace = textOption(options, 'namespace') ?? (await usualNamespace(client, name));
      return diagnose({ client, namespace, name, version, now: Date.now() });
    });
    terminal.stdout.write(
      format === 'text' ? asText(findings, terminal) : structured(format, asDocument(findings)),
    );
    return worstExit(findings.map(exitCodeOf));
  });
}

/** Where the webhook configurations of this name lead to; without them where an installation usually is. */
async function usualNamespace(client: Client, name: string): Promise<string> {
  const found = await findInstallation(client, name);
  return found.state === 'present' && found.value.name === name
    ? found.value.namespace
    : DEFAULT_INSTALL_NAMESPACE;
}

function exitCodeOf({ outcome, message }: Finding): number {
  if (outcome === 'unknown' && isRefused(message)) return EXIT.permission;
  return outcome === 'failed' ? EXIT.findings : EXIT.ok;
}

const COLOURS: Readonly<Record<Finding['outcome'], Colour>> = {
  ok: 'green',
  warning: 'yellow',
  failed: 'red',
  unknown: 'dim',
};

function asText(findings: readonly Finding[], { stdout, env }: Terminal): string {
  const paint = painter(stdout, env);
  const { good, bad, warning } = symbols(env);
  const signs = { ok: good, warning, failed: bad, unknown: '?' };
  const lines = findings.flatMap(({ check, outcome, message, fix }) => [
    `${paint(COLOURS[outcome], signs[outcome])} ${check}: ${printable(message)}`,
    ...(fix === undefined ? [] : [`    fix: ${printable(fix)}`]),
  ]);
  return `${lines.join('\n')}\n\n${ending(findings)}\n`;
}

function ending(findings: readonly Finding[]): string {
  const { failed, warning, unknown } = tally(findings);
  if (failed > 0) return `${counted(failed, 'check')} failed.`;
  const asides = [
    ...(warning > 0 ? [counted(warning, 'warning')] : []),
    ...(unknown > 0 ? [`${unknown} not looked at`] : []),
  ];
  return asides.length === 0 ? 'All is well.' : `Nothing failed; ${asides.join(', ')}.`;
}

function asDocument(findings: readonly Finding[]): object {
  const items = findings.map(({ check, outcome, message, fix }) => ({
    check,
    outcome,
    message,
    fix: fix ?? null,
  }));
  return listDocument('DoctorList', items, tally(findings));
}

function tally(findings: readonly Finding[]): Readonly<Record<Finding['outcome'], number>> {
  const count = (wanted: Finding['outcome']): number =>
    findings.filter(({ outcome }) => outcome === wanted).length;
  return { ok: count('ok'), warning: count('warning'), failed: count('failed'), unknown: count('unknown') };
}
