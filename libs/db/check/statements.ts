import { loadModule, parseSync } from 'libpg-query';

/** A part of PostgreSQL's own parse tree. */
export type Node = Readonly<Record<string, unknown>>;

/** One statement. Its kind is the name in the grammar of PostgreSQL, for instance "AlterTableStmt". */
export interface ParsedStatement {
  kind: string;
  node: Node;
  text: string;
}

await loadModule();

/** Parses with PostgreSQL's own parser (libpg_query). Throws on a syntax error. */
export function parseStatements(text: string): ParsedStatement[] {
  const bytes = Buffer.from(text);
  const { stmts = [] } = parseSync(text) as { stmts?: { stmt: Node; stmt_location?: number; stmt_len?: number }[] };
  return stmts.map(({ stmt, stmt_location: at = 0, stmt_len: length }) => {
    const [kind = '', node] = Object.entries(stmt)[0] ?? [];
    return {
      kind,
      node: node as Node,
      text: bytes
        .subarray(at, length === undefined ? undefined : at + length)
        .toString()
        .trim()
        .replace(/\s+/g, ' '),
    };
  });
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
export const childOf = (node: Node | undefined, key: string): Node | undefined => node?.[key] as Node | undefined;
export const listOf = (node: Node | undefined, key: string): Node[] => (node?.[key] as Node[] | undefined) ?? [];
/** The last part of a name of several parts. */
export const lastName = (names: readonly Node[]): string => textOf(childOf(names.at(-1), 'String')?.['sval']);
export const relationOf = (node: Node | undefined, key = 'relation'): string => textOf(childOf(node, key)?.['relname']);

/** Every node of a kind, at any depth. */
export function findAll(tree: unknown, kind: string): Node[] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]) => [
    ...(key === kind && !Array.isArray(value) ? [value as Node] : []),
    ...findAll(value, kind),
  ]);
}

/** The names of the columns that an expression reads. */
export const columnsIn = (expression: unknown): string[] =>
  findAll(expression, 'ColumnRef').map((reference) => lastName(listOf(reference, 'fields')));
