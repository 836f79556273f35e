import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { listFieldOf, type ItemOf } from './lists.ts';
import type { CallOptions, UnaryCall } from './service-client.ts';

/** Pages of a list, each asked for when it is read. `page_size` of the request says how many items they have. */
export async function* pagesOf<I extends DescMessage, O extends DescMessage>(
  call: UnaryCall<I, O>,
  request: MessageInitShape<I>,
  options?: CallOptions,
): AsyncGenerator<MessageShape<O>, void> {
  let asked = request as MessageInitShape<I> & { pageToken?: string };
  for (;;) {
    const page = await call(asked, options);
    yield page;
    const { nextPageToken } = page as { nextPageToken?: unknown };
    if (typeof nextPageToken !== 'string' || nextPageToken === '') return;
    asked = { ...asked, pageToken: nextPageToken };
  }
}

/** The items of a list one by one: `for await (const task of itemsOf(taskflow.tasks.listTasks, {}))`. */
export async function* itemsOf<I extends DescMessage, O extends DescMessage>(
  call: UnaryCall<I, O>,
  request: MessageInitShape<I>,
  options?: CallOptions,
): AsyncGenerator<ItemOf<O>, void> {
  const { localName } = listFieldOf(call.method.output);
  for await (const page of pagesOf(call, request, options))
    yield* page[localName as keyof typeof page] as Iterable<ItemOf<O>>;
}
