/** On which side of a call or a message the work is. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** Bounded words and numbers: never a secret, a text of a user, or a statement, in which the ORM writes values. */
export type SpanAttributes = Record<string, string | number | boolean | undefined>;

export interface NewSpan {
  /** Of few values: what is done, not to what. */
  name: string;
  /** Default: internal. */
  kind?: SpanKind;
  attributes?: SpanAttributes;
  /** Traceparents of other work that this serves or comes from; those of unrecorded traces are left out. */
  links?: readonly string[];
  /**
   * The traceparent that it continues; '' begins a trace, if the ratio lets it. Left out: the running call's, and without
   * one there is no span.
   */
  parent?: string;
}

/** How work failed. */
export interface SpanFailure {
  /** A reason, a code or the name of an error's class; never its message. */
  type: string;
}

/** Work that is being recorded. */
export interface ActiveSpan {
  /** What further work, here or elsewhere, has to continue. */
  readonly traceParent: string;
  set(attributes: SpanAttributes): void;
  event(name: string, attributes?: SpanAttributes): void;
  link(traceParent: string): void;
  /** The first call counts. */
  end(failure?: SpanFailure): void;
}

/** What records. */
export interface Tracer {
  /** Undefined when the trace is not recorded. */
  start(span: NewSpan & { parent: string }): ActiveSpan | undefined;
}
