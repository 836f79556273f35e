import { constraintType, notNullColumn, type Catalogue } from './catalogue.ts';
import { contracts, locks, rewrites, unknown, type Objection } from './objection.ts';
import { childOf, columnsIn, findAll, lastName, listOf, textOf, type Node } from './statements.ts';

/** One command of an ALTER TABLE on a released table. */
interface Command {
  table: string;
  command: Node;
  migration: string;
  catalogue: Catalogue;
  /** Checks that the same migration drops. A check added in their place only has a new wording. */
  droppedChecks: ReadonlySet<string>;
}

/** Functions with one value for all existing rows, so that no row is rewritten. */
const steadyFunctions: ReadonlySet<string> = new Set([
  'now',
  'transaction_timestamp',
  'statement_timestamp',
  'pg_current_xact_id',
  'current_setting',
]);

const isSteady = (expression: unknown): boolean =>
  findAll(expression, 'FuncCall').every((call) => steadyFunctions.has(lastName(listOf(call, 'funcname'))));

const serials: ReadonlySet<string> = new Set(['serial', 'bigserial', 'smallserial', 'serial2', 'serial4', 'serial8']);

const nothing = (): Objection[] => [];

type JudgePart = (table: string, column: string, constraint: Node, hasDefault: boolean) => Objection[];

/** Objections to what a new column declares. */
const parts: Readonly<Record<string, JudgePart>> = {
  NOTNULL: nothing,
  NULL: nothing,
  DEFAULT: (table, column, constraint) =>
    isSteady(constraint['raw_expr'])
      ? []
      : rewrites(
          table,
          `the default of ${column} differs from row to row: add the column without it, set the default, fill it in batches`,
        ),
  IDENTITY: (table, column) => rewrites(table, `${column} is numbered for every row`),
  GENERATED: (table, column, constraint) =>
    constraint['generated_kind'] === 's' ? rewrites(table, `${column} is computed and stored for every row`) : [],
  CHECK: (table, column) =>
    locks(table, `the check of ${column} looks at every row: add it NOT VALID, and validate it in a later migration`),
  // PostgreSQL knows that a column without a default is null everywhere.
  FOREIGN: (table, column, _constraint, hasDefault) =>
    hasDefault
      ? locks(
          table,
          `the foreign key of ${column} looks at every row: add it NOT VALID, and validate it in a later migration`,
        )
      : [],
  UNIQUE: (table, column) => locks(table, `the index of ${column} is built under a lock: build it CONCURRENTLY`),
  PRIMARY: (table, column) => locks(table, `the index of ${column} is built under a lock: build it CONCURRENTLY`),
};

function judgeAddColumn({ table, command }: Command): Objection[] {
  const definition = childOf(childOf(command, 'def'), 'ColumnDef');
  const column = textOf(definition?.['colname']);
  const constraints = listOf(definition, 'constraints').map((part) => part['Constraint'] as Node);
  const types = new Set(constraints.map(constraintType));
  const isSerial = serials.has(lastName(listOf(childOf(definition, 'typeName'), 'names')));
  // A column that computes its own value needs no default.
  const isRequired = types.has('NOTNULL') && !['DEFAULT', 'IDENTITY', 'GENERATED'].some((type) => types.has(type));
  return [
    ...(isSerial ? rewrites(table, `${column} is numbered for every row`) : []),
    ...(isRequired && !isSerial
      ? contracts(table, `${column} is NOT NULL without a default: the release before does not write it`)
      : []),
    ...constraints.flatMap((constraint) =>
      (parts[constraintType(constraint)] ?? (() => unknown(table, `${constraintType(constraint)} of a new column`)))(
        table,
        column,
        constraint,
        types.has('DEFAULT'),
      ),
    ),
  ];
}

function scanOf({ table, command }: Command): Objection[] {
  const constraint = childOf(childOf(command, 'def'), 'Constraint') as Node;
  const type = constraintType(constraint);
  if (['UNIQUE', 'PRIMARY'].includes(type)) {
    return textOf(constraint['indexname']) === ''
      ? locks(
          table,
          `the index of the constraint is built under a lock: build it CONCURRENTLY, then add the constraint USING INDEX`,
        )
      : [];
  }
  if (!['CHECK', 'FOREIGN', 'NOTNULL'].includes(type)) return locks(table, `${type} is checked under a lock`);
  return constraint['skip_validation'] === true
    ? []
    : locks(table, 'the constraint looks at every row: add it NOT VALID, and validate it in a later migration');
}

/** Whether the release before may write what the constraint refuses. */
function tightens({ table, command, catalogue, droppedChecks }: Command): boolean {
  const constraint = childOf(childOf(command, 'def'), 'Constraint') as Node;
  const type = constraintType(constraint);
  // It is a new wording, or an index refuses the same already.
  if (
    textOf(constraint['indexname']) !== '' ||
    (type === 'CHECK' && droppedChecks.has(`${table}.${textOf(constraint['conname'])}`))
  )
    return false;
  // The release before leaves new columns null. Null is unique and passes every check except one about null itself.
  if (notNullColumn(constraint) !== '') return true;
  const columns = ['keys', 'fk_attrs']
    .flatMap((key) => listOf(constraint, key).map((part) => lastName([part])))
    .concat(columnsIn(constraint['raw_expr']));
  const isNew = (column: string): boolean => catalogue.newColumns.has(`${table}.${column}`);
  return !(type === 'UNIQUE' ? columns.some(isNew) : columns.length > 0 && columns.every(isNew));
}

function judgeAddConstraint(given: Command): Objection[] {
  return [
    ...scanOf(given),
    ...(tightens(given) ? contracts(given.table, 'the constraint refuses what the release before may write') : []),
  ];
}

function judgeValidate({ table, command, catalogue, migration }: Command): Objection[] {
  const known = catalogue.constraints.get(`${table}.${textOf(command['name'])}`);
  if (known?.migration !== migration) return [];
  return locks(
    table,
    'the constraint is validated under the lock of the statement that added it: validate it in a later migration',
  );
}

function judgeSetNotNull({ table, command, catalogue }: Command): Objection[] {
  const column = textOf(command['name']);
  const isProven = [...catalogue.constraints.values()].some(
    (known) => known.table === table && known.validated && known.notNull === column,
  );
  return [
    ...contracts(table, `${column} may be null for the release before`),
    ...(isProven
      ? []
      : locks(table, `every row is looked at: validate a check (${column} is not null) in a migration before`)),
  ];
}

const loosening: ReadonlySet<string> = new Set(['CHECK', 'NOTNULL', 'FOREIGN']);

function judgeDropConstraint({ table, command, catalogue }: Command): Objection[] {
  const name = textOf(command['name']);
  const type = catalogue.constraints.get(`${table}.${name}`)?.type ?? 'UNKNOWN';
  return loosening.has(type)
    ? []
    : contracts(table, `the release before may rely on ${name} (${type}), as ON CONFLICT does`);
}

/** A command that is not listed here is refused, because nobody has judged it. */
const commands: Readonly<Record<string, (given: Command) => Objection[]>> = {
  AT_AddColumn: judgeAddColumn,
  AT_AddConstraint: judgeAddConstraint,
  AT_ValidateConstraint: judgeValidate,
  AT_SetNotNull: judgeSetNotNull,
  AT_DropConstraint: judgeDropConstraint,
  AT_DropNotNull: nothing,
  AT_SetStatistics: nothing,
  AT_SetOptions: nothing,
  AT_ResetOptions: nothing,
  AT_SetRelOptions: nothing,
  AT_ResetRelOptions: nothing,
  AT_SetStorage: nothing,
  AT_SetCompression: nothing,
  AT_DropColumn: ({ table, command }) =>
    contracts(table, `the release before reads and writes ${textOf(command['name'])}`),
  AT_AlterColumnType: ({ table, command }) => [
    ...contracts(table, `the release before knows another type of ${textOf(command['name'])}`),
    ...rewrites(
      table,
      `${textOf(command['name'])} is written anew in every row: add a column of the new type, fill it in batches, drop the old one later`,
    ),
  ],
  AT_ColumnDefault: ({ table, command }) =>
    command['def'] === undefined
      ? contracts(table, `the release before may rely on the default of ${textOf(command['name'])}`)
      : [],
};

export function judgeCommand(given: Command): Objection[] {
  const { table, command, catalogue } = given;
  const subtype = textOf(command['subtype']);
  const objections = (commands[subtype] ?? (() => unknown(table, `ALTER TABLE with ${subtype}`)))(given);
  // Nobody uses a column that was added after the last release, but the release before leaves it null.
  const isNobodys = catalogue.newColumns.has(`${table}.${textOf(command['name'])}`) && subtype !== 'AT_SetNotNull';
  return isNobodys ? objections.filter(({ kind }) => kind !== 'contracts') : objections;
}
