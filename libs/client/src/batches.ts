import { create, toBinary, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { TaskFlowError } from './errors.ts';
import { listFieldOf, type ItemInitOf, type ItemOf } from './lists.ts';
import { policyOf } from './policy.ts';
import type { CallOptions, UnaryCall } from './service-client.ts';

/** As BatchCreateTasks and its like have it in the contract. */
const maxMembers = 500;
/** Of a request, so that its answer, which is a little larger, fits into a message. */
const maxBytes = 1024 * 1024;

export interface BatchedResult<Member, Result> {
  member: Member;
  result: Result;
}

interface Batch<I extends DescMessage, O extends DescMessage> {
  call: UnaryCall<I, O>;
  /** The field of the members. */
  list: string;
  request: MessageInitShape<I>;
  options: CallOptions | undefined;
}

function sizeOf<I extends DescMessage, O extends DescMessage>({ call, list }: Batch<I, O>, member: unknown): number {
  const { input } = call.method;
  return toBinary(input, create(input, { [list]: [member] } as MessageInitShape<I>)).length;
}

async function* split<Member>(
  members: Iterable<Member> | AsyncIterable<Member>,
  size: (member: Member) => number,
): AsyncGenerator<Member[], void> {
  let chunk: Member[] = [];
  let bytes = 0;
  for await (const member of members) {
    const more = size(member);
    if (chunk.length === maxMembers || (chunk.length > 0 && bytes + more > maxBytes)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(member);
    bytes += more;
  }
  if (chunk.length > 0) yield chunk;
}

/** Results of a batch, in the order of its members. An answer that is too large is asked for in halves. */
async function resultsOf<I extends DescMessage, O extends DescMessage>(
  batch: Batch<I, O>,
  members: readonly unknown[],
): Promise<unknown[]> {
  const { call, list, request, options } = batch;
  try {
    const answer = await call({ ...request, [list]: members } as MessageInitShape<I>, options);
    return answer[listFieldOf(call.method.output).localName as keyof typeof answer] as unknown[];
  } catch (error) {
    const isTooLarge = error instanceof TaskFlowError && error.reason === 'REQUEST_TOO_LARGE';
    // A change may have been made before its answer was found to be too large.
    if (!isTooLarge || members.length < 2 || policyOf(call.method).retry !== 'always') throw error;
    const half = Math.ceil(members.length / 2);
    return [...(await resultsOf(batch, members.slice(0, half))), ...(await resultsOf(batch, members.slice(half)))];
  }
}

/**
 * Calls a batch method with any number of members: as many calls as the contract's maximum needs, one after the other.
 * Each call is all or nothing, or with `allowPartial` a result for each member; the calls before one that fails stay.
 * A `requestId` gets the number of the call behind it, so that the same members can be sent again.
 */
export async function* inBatches<I extends DescMessage, O extends DescMessage, Member extends ItemInitOf<I>>(
  call: UnaryCall<I, O>,
  members: Iterable<Member> | AsyncIterable<Member>,
  request: MessageInitShape<I>,
  options?: CallOptions,
): AsyncGenerator<BatchedResult<Member, ItemOf<O>>, void> {
  const batch: Batch<I, O> = { call, list: listFieldOf(call.method.input).localName, request, options };
  const { requestId = '' } = request as { requestId?: string };
  let number = 0;
  for await (const chunk of split(members, (member) => sizeOf(batch, member))) {
    number += 1;
    const numbered = requestId === '' ? request : { ...request, requestId: `${requestId}-${number}` };
    const results = await resultsOf({ ...batch, request: numbered }, chunk);
    for (const [index, member] of chunk.entries()) yield { member, result: results[index] as ItemOf<O> };
  }
}
