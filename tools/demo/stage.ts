import type { JsonObject } from '../../src/kube/json.ts';

/** What came of asking for an object. */
export interface Answer {
  readonly allowed: boolean;
  /** 'created' or 'configured'; empty where it was refused. */
  readonly verb: string;
  /** As it was admitted; as it was sent where it was refused. */
  readonly object: JsonObject;
  /** Each as kubectl prints it after `Warning: `. */
  readonly warnings: readonly string[];
  /** As kubectl prints a refusal; empty where there is none. */
  readonly refusal: string;
}

/** A manifest and the name that it is applied under. */
export interface Example {
  readonly file: string;
  readonly raw: JsonObject;
}

/** Where the story is played: a real API server, or the webhook alone with a folder for its cluster. */
export interface Stage {
  /** What this is, for people who just came in. */
  readonly about: string;
  /** The command that runs the webhook, as a person would type it. */
  readonly command: string;
  /** Starts the webhook and waits until it is ready; gives the address that it serves. */
  open(): Promise<string>;
  /** Creates an object or writes it over. */
  apply(example: Example): Promise<Answer>;
  /** Creates a pod; in a dry run it is judged and not made. */
  create(example: Example, dryRun?: boolean): Promise<Answer>;
  /** The pod as it would be if nobody had injected anything. */
  untouched(example: Example): Promise<JsonObject>;
  /** The object as it is now; only where somebody else may have changed it. */
  readonly read?: (raw: JsonObject) => Promise<JsonObject>;
  setStatus(raw: JsonObject, status: JsonObject): Promise<void>;
  /** Reads from the API server; absent where no controllers make pods of workloads. */
  readonly look?: (path: string) => Promise<JsonObject>;
  /** What a person who keeps the stage can type, with a pod that is refused. */
  use(refused: Example): readonly string[];
  /** What the webhook said on stderr and stdout. */
  logs(): string;
  close(): Promise<void>;
}
