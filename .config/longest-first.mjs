import Sequencer from '@jest/test-sequencer';

/** Tests of whole clusters take longest, whatever the size of their files, so they begin first. */
const kinds = [/\.flow\.test\.ts$/, /\.rpc\.test\.ts$/, /./];

/** Jest's own order, by what is known of earlier runs and else by size, within each kind. */
export default class LongestFirst extends Sequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    const byKind = Map.groupBy(sorted, ({ path }) => kinds.findIndex((kind) => kind.test(path)));
    return [...byKind.keys()].toSorted().flatMap((kind) => byKind.get(kind));
  }
}
