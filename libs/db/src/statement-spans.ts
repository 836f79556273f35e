import type { PoolClient } from 'pg';
import { currentContext, failureOf, startSpan, type SpanAttributes } from '#libs/runtime';

/** A query for pg: a text, or a configuration with the name of the prepared statement. */
type Query = string | { text?: string; name?: string } | undefined;
type Run = (query: Query, ...rest: unknown[]) => unknown;

const operations = /^\s*(select|insert|update|delete|with|begin|commit|rollback|savepoint|release|set|listen)\b/i;

// The name ends before the first character that could belong to a value.
const subjects = [
  /^\s*(insert) into "?([a-z_]+)"?/i,
  /^\s*(update) "?([a-z_]+)"?/i,
  /^\s*(delete) from "?([a-z_]+)"?/i,
  /^\s*(select) [a-z0-9_".,*\s]*?\bfrom "?([a-z_]+)"?/i,
  /^\s*with (?:[^'$]|\$\d)*?\b(insert|update|delete) (?:into |from )?"?([a-z_]+)"?/i,
];

interface Subject {
  operation: string;
  table: string | undefined;
}

function subjectOf(text: string): Subject {
  for (const pattern of subjects) {
    const [, operation, table] = pattern.exec(text) ?? [];
    if (operation !== undefined) return { operation: operation.toUpperCase(), table };
  }
  return { operation: operations.exec(text)?.[1]?.toUpperCase() ?? 'SQL', table: undefined };
}

interface StatementSummary {
  name: string;
  attributes: SpanAttributes;
}

/** The name of a statement in traces: its own, or operation and table, never its text. */
export function summarize(query: Query): StatementSummary {
  const text = typeof query === 'string' ? query : (query?.text ?? '');
  const { operation, table } = subjectOf(text);
  const summary = table === undefined ? operation : `${operation} ${table}`;
  const name = typeof query === 'object' ? query.name : undefined;
  const attributes = {
    'db.system.name': 'postgresql',
    'db.operation.name': operation,
    'db.query.summary': summary,
    ...(table !== undefined && { 'db.collection.name': table }),
  };
  return { name: name ?? summary, attributes };
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as Partial<Promise<unknown>> | undefined)?.then === 'function';
}

/** Records a span for every statement of this connection that a recorded call waits for. */
export function traceStatements(client: PoolClient): void {
  const run = client.query.bind(client) as unknown as Run;
  const traced: Run = (query, ...rest) => {
    const span = currentContext()?.span === undefined ? undefined : startSpan({ ...summarize(query), kind: 'client' });
    const answer = run(query, ...rest);
    if (span === undefined) return answer;
    if (!isPromise(answer)) span.end();
    else
      answer.then(
        () => span.end(),
        (error: unknown) => span.end(failureOf(error)),
      );
    return answer;
  };
  client.query = traced as unknown as typeof client.query;
}
