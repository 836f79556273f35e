// Started by main.ts as a process of its own, so that its work delays nobody who measures.
import { runLoad, runWorker } from '#dev/bench';
import { assault } from './attacks.ts';
import { offer } from './offered.ts';

runWorker({ run: runLoad, offer, assault });
