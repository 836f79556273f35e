/** On which side of a call or a message the work is. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** Bounded words and numbers: never a secret, a user's text, or a statement (the ORM writes values into those). */
export type SpanAttributes = Record<string, string | number | boolean | undefined>;

export interface NewSpan {
  /** One of few values: the kind of work, not its object. */
  name: string;
  /** Default: internal. */
  kind?: SpanKind;
  attributes?: SpanAttributes;
  /** Traceparents of other work that this serves or comes from; those of unrecorded traces are dropped. */
  links?: readonly string[];
  /**
   * The traceparent that it continues; '' may begin a trace, depending on the ratio. Default: that of the running call.
   * Without either there is no span.
   */
  parent?: string;
}

/** Why the work failed. */
export interface SpanFailure {
  /** A reason, a code or the name of an error's class; never its message. */
  type: string;
}

/** Work that is being recorded. */
export interface ActiveSpan {
  /** What further work, here or elsewhere, must continue. */
  readonly traceParent: string;
  set(attributes: SpanAttributes): void;
  event(name: string, attributes?: SpanAttributes): void;
  link(traceParent: string): void;
  /** Only the first call counts. */
  end(failure?: SpanFailure): void;
}

/** Records spans. */
export interface Tracer {
  /** Undefined when the trace is not recorded. */
  start(span: NewSpan & { parent: string }): ActiveSpan | undefined;
}
