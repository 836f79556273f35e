// A document as blocks, written as Markdown or as HTML. Inline: `code` and [text](target).

export type Block =
  | { kind: 'heading'; level: 1 | 2 | 3; text: string; id: string }
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'table'; head: readonly string[]; rows: readonly (readonly string[])[] };

const inCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function toMarkdownBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${block.level === 1 ? '' : `<a id="${block.id}"></a>\n\n`}${'#'.repeat(block.level)} ${block.text}`;
    case 'text':
      return block.text;
    case 'code':
      return `\`\`\`sh\n${block.text}\n\`\`\``;
    case 'table':
      return [block.head, block.head.map(() => '---'), ...block.rows]
        .map((row) => `| ${row.map(inCell).join(' | ')} |`)
        .join('\n');
  }
}

export function toMarkdown(blocks: readonly Block[]): string {
  return `<!-- Generated from proto/ by \`npm run proto:generate\`. Do not edit. -->\n\n${blocks.map(toMarkdownBlock).join('\n\n')}\n`;
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** On the HTML page, a link to another file becomes a link to its section. */
const targetOf = (target: string): string =>
  target.includes('#') ? target.slice(target.indexOf('#')) : `#${target.replace('.md', '')}`;

function inline(text: string): string {
  return escape(text)
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll(
      /\[([^\]]+)\]\(([^)]+)\)/g,
      (_, label: string, target: string) => `<a href="${targetOf(target)}">${label}</a>`,
    );
}

const cells = (tag: string, row: readonly string[]): string =>
  `<tr>${row.map((cell) => `<${tag}>${inline(cell)}</${tag}>`).join('')}</tr>`;

function toHtmlBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level} id="${block.id}">${inline(block.text)}</h${block.level}>`;
    case 'text':
      return `<p>${inline(block.text)}</p>`;
    case 'code':
      return `<pre>${escape(block.text)}</pre>`;
    case 'table':
      return `<div class="wide"><table>\n${cells('th', block.head)}\n${block.rows.map((row) => cells('td', row)).join('\n')}\n</table></div>`;
  }
}

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; display: grid; grid-template-columns: 17rem minmax(0, 60rem); gap: 2rem; }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; box-sizing: border-box; border-right: 1px solid var(--line); font-size: 14px; }
nav a { display: block; text-decoration: none; color: inherit; padding: .1rem 0; } nav a { font-weight: 600; } nav a.sub { font-weight: 400; padding-left: 1rem; opacity: .8; } nav a:hover { text-decoration: underline; }
main { padding: 1rem 1rem 6rem; } h1 { margin-top: 3rem; } h2 { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem; } h3 { margin-top: 2rem; }
table { border-collapse: collapse; font-size: 14px; } th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); } th { background: var(--soft); }
code, pre { font: 13px/1.45 ui-monospace, monospace; background: var(--soft); border-radius: 4px; } code { padding: .1em .3em; } td:first-child code { white-space: nowrap; } h1, h2 { overflow-wrap: anywhere; } p code { overflow-wrap: anywhere; } pre { padding: .7rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { overflow: auto; margin: 1rem 0 1.5rem; } .wide table { min-width: 30rem; }
@media (max-width: 60rem) { body { display: block; } nav { position: static; height: auto; border: 0; } }`;

export function toHtml(title: string, blocks: readonly Block[]): string {
  const headings = blocks.filter((block) => block.kind === 'heading' && block.level < 3);
  const links = headings.map((block) =>
    block.kind === 'heading'
      ? `<a${block.level === 2 ? ' class="sub"' : ''} href="#${block.id}">${escape(block.text)}</a>`
      : '',
  );
  return `<!doctype html>
<!-- Generated from proto/ by \`npm run proto:generate\`. Do not edit. -->
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title><link rel="icon" href="data:,"><style>${style}</style></head>
<body><nav>${links.join('\n')}</nav><main>
${blocks.map(toHtmlBlock).join('\n')}
</main></body></html>
`;
}
