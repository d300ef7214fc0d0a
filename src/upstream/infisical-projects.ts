/** A project's id from its slug: the SDK takes ids alone, people and sync resources write slugs. */
import type { InfisicalSDK } from '@infisical/sdk';
import { dig, text } from '../kube/json.ts';
import type { Http, HttpAnswer } from './http.ts';
import { errorOfRefusal } from './infisical-errors.ts';
import type { Session } from './session.ts';
import { UpstreamError } from './upstream-error.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface Projects {
  /** The id of a slug; an id is its own. Throws `projectNotFound`. */
  idOf(project: string): Promise<string>;
}

export function createProjects(http: Http, session: Session<InfisicalSDK>): Projects {
  const known = new Map<string, string>();
  return {
    async idOf(project) {
      if (project === '')
        throw new UpstreamError(
          'notConfigured',
          'Infisical: no project; give --project or set upstream.infisical.project',
        );
      if (UUID.test(project)) return project;
      const id = known.get(project) ?? (await session.use(async (sdk) => idOfSlug(http, sdk, project)));
      known.set(project, id);
      return id;
    },
  };
}

/** Today's route first, then that of older servers. */
async function idOfSlug(http: Http, sdk: InfisicalSDK, slug: string): Promise<string> {
  const headers = { authorization: `Bearer ${sdk.auth().getAccessToken() ?? ''}` };
  const ask = async (route: string): Promise<HttpAnswer> =>
    http.ask({ method: 'GET', path: `${route}/${encodeURIComponent(slug)}`, headers });
  let answer = await ask('/api/v1/projects/slug');
  if (answer.status === 404 && wordsOf(answer).startsWith('Route ')) answer = await ask('/api/v2/workspace');
  const id =
    text(answer.body, 'id') ??
    text(dig(answer.body, 'workspace'), 'id') ??
    text(dig(answer.body, 'project'), 'id');
  if (answer.status === 200 && id !== undefined) return id;
  throw errorOfRefusal({ status: answer.status, words: wordsOf(answer) }, `project '${slug}'`);
}

/** Servers of 2024 have the telling words of an unknown slug in `error`. */
function wordsOf({ body }: HttpAnswer): string {
  const message = text(body, 'message') ?? '';
  return message === 'Something went wrong' ? (text(body, 'error') ?? message) : message;
}
