// Preloaded by `--import`: the process runs with one piece of one source file replaced, as TASKFLOW_MUTATION_FILE says, when
// that file is there. It notes its pid in `….applied` beside it, and ends when the piece is not found exactly once.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const order = process.env.TASKFLOW_MUTATION_FILE;

if (order !== undefined && existsSync(order)) {
  const { file, find, replace } = JSON.parse(readFileSync(order, 'utf8'));
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(`/${file}`)) return loaded;
      const parts = Buffer.from(loaded.source).toString().split(find);
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times what the mutation replaces`);
      appendFileSync(`${order}.applied`, `${process.pid}\n`);
      return { ...loaded, source: parts.join(replace) };
    },
  });
}
