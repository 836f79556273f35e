// Started by src/generators.ts, never by hand: carries out the loads it is sent, one after the other.
import type { Load } from '../src/load.ts';
import { runLoad } from '../src/run-load.ts';

process.on('disconnect', () => process.exit());
// Ctrl-C is for the bench, which stops its generators in order.
process.on('SIGINT', () => undefined);
process.on('message', (load: Load) => {
  runLoad(load).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.send?.('ready');
