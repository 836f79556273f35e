// Reports the lines of more than 120 characters in the hand-written files that prettier leaves alone, below the current
// folder. URLs do not count.
import { globSync, readFileSync } from 'node:fs';

const longest = 120;
const left = ['**/node_modules', '.git', '.taskflow', 'proto/docs', 'libs/contract/src/gen'];

const found = globSync(
  ['**', '.*/**'].map((below) => `${below}/*.{md,proto,sql,yaml,yml}`),
  { exclude: left },
).flatMap((file) => {
  const text = readFileSync(file, 'utf8');
  if (text.startsWith('# Generated ')) return [];
  return text.split('\n').flatMap((line, index) => {
    const { length } = [...line.replaceAll(/https?:\S+/g, '')];
    return length > longest ? [`${file}:${index + 1}: ${length} characters`] : [];
  });
});
if (found.length > 0) {
  process.stderr.write(`lines of more than ${longest} characters:\n${found.join('\n')}\n`);
  process.exitCode = 1;
}
