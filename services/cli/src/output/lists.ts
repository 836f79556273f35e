import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, itemsOf, type UnaryCall } from '#client/index';
import type { Cli } from '../cli.ts';
import { renderTable, type Column } from './table.ts';

/** A list of the contract, to be shown. */
export interface ShownList<I extends DescMessage, O extends DescMessage, Row> {
  call: UnaryCall<I, O>;
  request: MessageInitShape<I>;
  limit?: number;
  /** When there is nothing: "no schedules". */
  none: string;
  columns: readonly Column<Row>[];
}

const mostPerPage = 100;

/** Reads a list to its end or its limit, and shows it: as one answer of the call with --json, else as a table. */
export async function showList<I extends DescMessage, O extends DescMessage, Row>(
  { out }: Cli,
  { call, request, limit = Infinity, none, columns }: ShownList<I, O, Row>,
): Promise<void> {
  const rows: Row[] = [];
  const paged = { ...request, pageSize: Math.min(limit, mostPerPage) } as MessageInitShape<I>;
  for await (const row of itemsOf(call, paged)) {
    rows.push(row as Row);
    if (rows.length >= limit) break;
  }
  const { output } = call.method;
  const field = output.fields.find(({ fieldKind }) => fieldKind === 'list')?.localName ?? '';
  const answer: MessageShape<O> = create(output, { [field]: rows } as MessageInitShape<O>);
  out.answer(output, answer, () => (rows.length === 0 ? none : renderTable(rows, columns)));
}
