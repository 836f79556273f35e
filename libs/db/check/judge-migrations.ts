import { createHash } from 'node:crypto';
import { commandsOf, createCatalogue, type Catalogue } from './catalogue.ts';
import type { Objection } from './objection.ts';
import { judgeStatement } from './judge-statement.ts';
import { childOf, listOf, parseStatements, relationOf, textOf, type Node, type ParsedStatement } from './statements.ts';

/** A migration as it was read. See the marks of Migration in libs/db. */
export interface MigrationFacts {
  name: string;
  /** In the order in which they were added; each text may hold several statements. */
  texts: readonly string[];
  transactional: boolean;
  completes: string | undefined;
  smallTables: readonly string[];
}

/** Name of each released migration → hash of its statements. */
export type ReleasedMigrations = Readonly<Record<string, string>>;

/** A hash of what a migration does. Spaces and comments do not count. */
export function hashOf({ texts }: Pick<MigrationFacts, 'texts'>): string {
  const withoutPlaces = (key: string, value: unknown): unknown => (key === 'location' ? undefined : value);
  const trees = texts.flatMap(parseStatements).map(({ kind, node }) => JSON.stringify([kind, node], withoutPlaces));
  return createHash('sha256').update(trees.join('\n')).digest('hex');
}

const isExcused = ({ completes, smallTables }: MigrationFacts, { kind, table }: Objection): boolean => {
  if (kind === 'contracts') return completes !== undefined;
  return kind !== 'unknown' && smallTables.includes(table);
};

const ways: Readonly<Record<Objection['kind'], string>> = {
  contracts: 'wait until a release no longer needs it, then say which released migration this one completes',
  rewrites: 'or name the table in smallTables',
  locks: 'or name the table in smallTables',
  unknown: 'teach libs/db/check what it does',
};

/** Statements that PostgreSQL refuses inside a transaction. */
function isConcurrent({ kind, node }: ParsedStatement): boolean {
  if (kind === 'ReindexStmt')
    return listOf(node, 'params').some((part) => childOf(part, 'DefElem')?.['defname'] === 'concurrently');
  return (kind === 'IndexStmt' || kind === 'DropStmt') && node['concurrent'] === true;
}

function isRepeatableCommand({ subtype, missing_ok: isConditional }: Node): boolean {
  if (subtype === 'AT_ValidateConstraint') return true;
  return (subtype === 'AT_AddColumn' || subtype === 'AT_DropColumn') && isConditional === true;
}

/** Whether it can run again after a crash in the middle. */
function isRepeatable(statement: ParsedStatement): boolean {
  const { kind, node } = statement;
  if (kind === 'ReindexStmt') return isConcurrent(statement);
  if (kind === 'IndexStmt') return isConcurrent(statement) && node['if_not_exists'] === true;
  if (kind === 'DropStmt') return isConcurrent(statement) && node['missing_ok'] === true;
  return kind === 'AlterTableStmt' && commandsOf(node).every(isRepeatableCommand);
}

function judgeForm({ texts, transactional }: MigrationFacts): string[] {
  const parsed = texts.map(parseStatements);
  if (transactional)
    return parsed
      .flat()
      .filter(isConcurrent)
      .map(({ text }) => `"${text}" cannot run in a transaction: extend ConcurrentMigration`);
  return [
    ...parsed.filter(({ length }) => length !== 1).map(() => 'outside of a transaction each addSql is one statement'),
    ...parsed
      .flat()
      .filter((statement) => !isRepeatable(statement))
      .map(
        ({ text }) => `"${text}" cannot be repeated after a crash: IF NOT EXISTS, IF EXISTS, or a migration of its own`,
      ),
  ];
}

/** Names of the checks that a statement drops, as "table.name". */
function droppedChecks({ kind, node }: ParsedStatement, { constraints }: Catalogue): string[] {
  if (kind !== 'AlterTableStmt') return [];
  const dropped = commandsOf(node).filter((command) => command['subtype'] === 'AT_DropConstraint');
  return dropped
    .map((command) => `${relationOf(node)}.${textOf(command['name'])}`)
    .filter((name) => constraints.get(name)?.type === 'CHECK');
}

function judgeNew(facts: MigrationFacts, catalogue: Catalogue): string[] {
  const problems: string[] = [];
  const dropped = new Set<string>();
  for (const statement of facts.texts.flatMap(parseStatements)) {
    catalogue.expectColumns(statement);
    droppedChecks(statement, catalogue).forEach((name) => dropped.add(name));
    const objections = judgeStatement(statement, { migration: facts.name, catalogue, droppedChecks: dropped });
    problems.push(
      ...objections
        .filter((objection) => !isExcused(facts, objection))
        .map(({ kind, why }) => `"${statement.text}" ${kind}: ${why}; ${ways[kind]}`),
    );
    catalogue.learn(statement, { migration: facts.name, released: false });
  }
  return problems;
}

function judgePlace({ name, completes }: MigrationFacts, released: ReleasedMigrations): string[] {
  const last = Object.keys(released).sort().at(-1) ?? '';
  return [
    ...(name > last ? [] : [`comes before ${last}, which is released: databases that have that one would run it last`]),
    ...(completes === undefined || completes in released
      ? []
      : [`completes ${completes}, which is not released: both halves would come with one release`]),
  ];
}

/** The objections to a service's migrations, in their order. Empty when nothing is wrong. */
export function judgeMigrations(migrations: readonly MigrationFacts[], released: ReleasedMigrations): string[] {
  const catalogue = createCatalogue();
  const known = new Set(migrations.map(({ name }) => name));
  const gone = Object.keys(released)
    .filter((name) => !known.has(name))
    .map((name) => `${name}: it is released, and gone`);
  const found = migrations.flatMap((facts) => {
    const say = (problems: string[]): string[] => problems.map((problem) => `${facts.name}: ${problem}`);
    if (!(facts.name in released))
      return say([...judgePlace(facts, released), ...judgeForm(facts), ...judgeNew(facts, catalogue)]);
    for (const statement of facts.texts.flatMap(parseStatements))
      catalogue.learn(statement, { migration: facts.name, released: true });
    return say(
      released[facts.name] === hashOf(facts)
        ? []
        : ['it is released, and no longer does what it did: write another one'],
    );
  });
  return [...gone, ...found];
}
