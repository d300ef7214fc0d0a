/** What tracing is told, by whom it is done left open: spans of a trace, with names and states and never a value. */

export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** One piece of work that is traced. Its calls never fail and never wait. */
export interface Span {
  /** Of the trace that it belongs to: 32 hexadecimal digits. */
  readonly traceId: string;
  /** Begins a part of this work. */
  child(name: string, attributes: Attributes): Span;
  set(attributes: Attributes): void;
  /** Why it did not succeed, with the code or name of the error. */
  fail(type: string, message: string): void;
  /** Must be called once, else nothing of it is told. */
  end(): void;
}

/** Begins spans of traces of their own; undefined where this one is not sampled. */
export type BeginSpan = (name: string, attributes: Attributes) => Span | undefined;

/** Does work within a span of its own, where it is traced. */
export async function traced<T>(
  begin: BeginSpan | undefined,
  name: string,
  attributes: Attributes,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  const span = begin?.(name, attributes);
  try {
    return await work(span);
  } catch (error) {
    span?.fail(error instanceof Error ? error.name : 'Error', error instanceof Error ? error.message : '');
    throw error;
  } finally {
    span?.end();
  }
}
