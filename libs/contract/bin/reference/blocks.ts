// A document as blocks, written as Markdown. Inline: `code` and [text](target).

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
