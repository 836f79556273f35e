import { migrate } from '../../../stand-in.ts';

await migrate('scheduler');
