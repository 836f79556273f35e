import type { Passage } from './locales/phrases.ts';

/** Everything that a mail shows. */
export interface MailContent {
  /** A BCP 47 tag. */
  language: string;
  greeting: string;
  passage: Passage;
  /** Where the passage's link leads. */
  linkUrl: string | undefined;
  /** A paragraph in place of the link. */
  token: string | undefined;
  /** Why the mail was sent. */
  footer: string;
}

export interface MailText {
  subject: string;
  text: string;
  html: string;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '');

/** The same content for programs that show HTML and for those that do not. */
export function layOutMail(content: MailContent): MailText {
  return { subject: content.passage.subject, text: toText(content), html: toHtml(content) };
}

function toText({ greeting, passage, linkUrl, token, footer }: MailContent): string {
  const { body, list = [], link, ending = [] } = passage;
  const blocks = [
    greeting,
    ...body,
    ...(list.length === 0 ? [] : [list.map((item) => `- ${item}`).join('\n')]),
    ...(linkUrl === undefined || link === undefined ? [] : [`${link}:\n${linkUrl}`]),
    ...(token === undefined ? [] : [token]),
    ...ending,
    `-- \n${footer}`,
  ];
  return `${blocks.join('\n\n')}\n`;
}

const paragraph = (text: string): string => `<p>${escape(text)}</p>`;

function toHtml({ language, greeting, passage, linkUrl, token, footer }: MailContent): string {
  const { subject, body, list = [], link, ending = [] } = passage;
  const items = list.map((item) => `<li>${escape(item)}</li>`);
  const parts = [
    paragraph(greeting),
    ...body.map(paragraph),
    ...(items.length === 0 ? [] : ['<ul>', ...items, '</ul>']),
    ...(linkUrl === undefined || link === undefined
      ? []
      : [`<p><a href="${escape(linkUrl)}" style="${linkStyle}">${escape(link)}</a></p>`]),
    ...(token === undefined ? [] : [paragraph(token)]),
    ...ending.map(paragraph),
    `<p style="${footerStyle}">${escape(footer)}</p>`,
  ];
  return [
    '<!doctype html>',
    `<html lang="${escape(language)}">`,
    `<head><meta charset="utf-8"><title>${escape(subject)}</title></head>`,
    `<body style="${bodyStyle}">`,
    ...parts,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

// Mail programs drop style sheets, so each element has its own.
const bodyStyle = 'font-family: sans-serif; line-height: 1.5; max-width: 36em; margin: 1em';
const linkStyle =
  'display: inline-block; padding: 0.6em 1.2em; border-radius: 4px; background: #1a56db; color: #ffffff; text-decoration: none';
const footerStyle = 'font-size: 0.85em; color: #555555; border-top: 1px solid #cccccc; padding-top: 0.8em';
