// Started by src/generators.ts, never by hand.
import { runLoad } from '../src/run-load.ts';
import { runWorker } from '../src/worker-process.ts';

runWorker({ run: runLoad });
