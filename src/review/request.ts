/** An AdmissionReview's request as this program reads it: hostile JSON, checked where it is used. */
import type { Json, JsonObject } from '../kube/json.ts';
import { asArray, asObject, get, isObject, text } from '../kube/json.ts';
import type { User } from '../kube/world.ts';

export type Door = 'mutate' | 'validate';

export interface Request {
  readonly door: Door;
  /** Echoed in the answer. */
  readonly uid: string;
  readonly operation: string;
  readonly group: string;
  readonly kind: string;
  readonly subResource: string;
  /** Empty in `/mutate` where the API server makes the name of `generateName`. */
  readonly name: string;
  readonly namespace: string;
  /** The object as it came; nothing of it is typed, so nothing of it is lost. */
  readonly object: JsonObject;
  readonly oldObject?: JsonObject | undefined;
  readonly user: User;
  readonly dryRun: boolean;
}

/** Why a body is no AdmissionReview: the only thing that is answered 4xx. */
export class BadReview extends Error {
  override readonly name = 'BadReview';
}

/** The API version of the envelope; the answer carries the same. */
export const REVIEW_VERSION = 'admission.k8s.io/v1';

/**
 * Reads a parsed body. Throws BadReview where it is no AdmissionReview of admission.k8s.io/v1 with a request.
 */
export function readRequest(door: Door, body: unknown): Request {
  if (text(body, 'kind') !== 'AdmissionReview') throw new BadReview('the body is no AdmissionReview');
  if (text(body, 'apiVersion') !== REVIEW_VERSION) {
    throw new BadReview(`apiVersion must be ${REVIEW_VERSION}`);
  }
  const request = get(body, 'request');
  const uid = text(request, 'uid');
  if (!isObject(request) || uid === undefined || uid === '') throw new BadReview('request.uid is missing');
  return requestOf(door, uid, request);
}

function requestOf(door: Door, uid: string, request: JsonObject): Request {
  const kind = get(request, 'kind');
  const oldObject = get(request, 'oldObject');
  return {
    door,
    uid,
    operation: text(request, 'operation') ?? '',
    group: text(kind, 'group') ?? '',
    kind: text(kind, 'kind') ?? '',
    subResource: text(request, 'subResource') ?? '',
    name: text(request, 'name') ?? '',
    namespace: text(request, 'namespace') ?? '',
    object: asObject(get(request, 'object')),
    oldObject: isObject(oldObject) ? oldObject : undefined,
    user: userOf(get(request, 'userInfo')),
    dryRun: get(request, 'dryRun') === true,
  };
}

function userOf(userInfo: Json | undefined): User {
  const groups = asArray(get(userInfo, 'groups'));
  return {
    username: text(userInfo, 'username') ?? '',
    groups: groups.every(isText) ? groups : groups.filter(isText),
  };
}

function isText(value: Json): value is string {
  return typeof value === 'string';
}
