/** Asks the API server for what a story asks for, and reads its answer as a person's client would. */
import type { ApiClient, ApiResponse } from '../../tools/control-plane/api-client.ts';
import { asShort, textOf } from '../stories/manifest.ts';
import type { Manifest } from '../stories/manifest.ts';
import type { Answer } from '../stories/judge.ts';
import { render } from '../stories/rendering.ts';
import type { Stage } from '../stories/rendering.ts';
import type { Case } from '../stories/telling.ts';
import { collectionOf, pathOf, writable } from './world.ts';

/** An answer, and which of the two calls refused. */
export interface LiveAnswer extends Answer {
  readonly refusedBy?: 'mutate' | 'validate';
  /** Where the API server refused by itself: its words. */
  readonly trouble?: string;
}

const VERSIONS = 'secrets.floe.dev/versions';

/** Creates or updates the case's subject. */
export async function ask(api: ApiClient, one: Case, { stage, dryRun }: Asked): Promise<LiveAnswer> {
  const subject = render(one.subject, stage);
  const query = dryRun ? '?dryRun=All' : '';
  const headers = { 'Impersonate-User': one.user.username };
  const response =
    one.operation === 'UPDATE'
      ? await api.send('PUT', updatePath(one, subject) + query, await updated(api, one, subject), { headers })
      : await api.send('POST', collectionOf(subject) + query, writable(subject), { headers });
  return readAnswer(response);
}

interface Asked {
  readonly stage: Stage;
  readonly dryRun: boolean;
}

function updatePath(one: Case, subject: Manifest): string {
  const { subResource } = one.story;
  return pathOf(subject) + (subResource === '' ? '' : `/${subResource}`);
}

async function updated(api: ApiClient, one: Case, subject: Manifest): Promise<Manifest> {
  const current = await api.request<Manifest>('GET', pathOf(subject));
  const spec = asShort(subject['spec']);
  if (one.story.subResource !== '') {
    const { ephemeralContainers } = spec;
    return { ...current, spec: { ...asShort(current['spec']), ephemeralContainers } };
  }
  const { labels, annotations } = asShort(subject['metadata']);
  return { ...current, metadata: { ...asShort(current['metadata']), labels, annotations }, spec };
}

/** Reads an answer of the API server: a refusal of a webhook, one of its own, or the object as it was stored. */
export function readAnswer({ status, headers, body }: ApiResponse<unknown>): LiveAnswer {
  const warnings = warningsOf(headers['warning']);
  const object = asShort(body);
  if (status >= 400) return { ...refusalOf(object, headers['retry-after']), warnings };
  const annotations = asShort(asShort(object['metadata'])['annotations']) as Readonly<Record<string, string>>;
  const injected = annotations['secrets.floe.dev/injected'] ?? '';
  const versions = annotations[VERSIONS]?.replaceAll(/=\d+/g, '=4711');
  const metadata = {
    ...asShort(object['metadata']),
    annotations: { ...annotations, ...(versions === undefined ? {} : { [VERSIONS]: versions }) },
  };
  return {
    allowed: true,
    warnings,
    injected: injected.split(',').filter((name) => name !== ''),
    pod: { ...object, metadata },
  };
}

function refusalOf(body: Manifest, retryAfter: string | string[] | undefined): LiveAnswer {
  const said = textOf(body['message']);
  const refusal = /^admission webhook "(\w+)\.secrets\.floe\.dev" denied the request: (.*)$/s.exec(said);
  if (refusal === null) return { allowed: false, trouble: `${String(body['code'])} ${said}` };
  return {
    allowed: false,
    refusedBy: refusal[1] === 'mutate' ? 'mutate' : 'validate',
    code: Number(body['code']),
    reason: String(body['reason']),
    message: refusal[2] ?? '',
    retryAfterSeconds: typeof retryAfter === 'string' ? Number(retryAfter) : undefined,
  };
}

/** `299 - "text"`, one or many; the API server's own about deprecated fields are left out. */
function warningsOf(header: string | string[] | undefined): readonly string[] {
  const lines = typeof header === 'string' ? [header] : (header ?? []);
  // Headers are bytes; the client reads them as Latin-1.
  const texts = lines.map((line) => Buffer.from(line, 'latin1').toString('utf8'));
  return texts
    .flatMap((text) => [...text.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map((match) => match[1] ?? ''))
    .map((text) => text.replaceAll(/\\(.)/g, '$1'))
    .filter((text) => !/^spec\.|^metadata\.|deprecated/.test(text));
}
