// The command line: npx taskflow COMMAND, npm run taskflow -- COMMAND.
import { run } from './src/program.ts';

await run(process.argv.slice(2));
