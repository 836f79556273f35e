import { serve } from '../../../stand-in.ts';

await serve('tasks');
