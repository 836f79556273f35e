import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { HttpPages } from '#libs/runtime';

const docs = new URL('../../../proto/docs/', import.meta.url);
const viewer = 'redoc.standalone.js';

/** A bundle has it beside the document, a checkout where npm puts it. */
function viewerPlace(): string {
  const bundled = fileURLToPath(new URL(viewer, docs));
  return existsSync(bundled) ? bundled : createRequire(import.meta.url).resolve(`redoc/bundles/${viewer}`);
}

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>TaskFlow API</title>
<link rel="icon" href="data:,">
<style>
body { margin: 0; }
/* The viewer's theme does not reach these. */
@media (prefers-color-scheme: dark) {
  body { background: #17191c; }
  h5, h5 * { color: #a8a8a8 !important; }
  .react-tabs__tab--selected { color: #17191c !important; }
  /* Arrows that the theme gives no colour are black. */
  polygon { fill: #a8a8a8; }
}
</style>
</head>
<body><main id="reference"></main><script src="/docs/${viewer}"></script><script src="/docs/show.js"></script></body>
</html>
`;

const fonts = 'system-ui, sans-serif';
const dark = {
  colors: {
    primary: { main: '#8ab4f8' },
    success: { main: '#81c995' },
    error: { main: '#f28b82' },
    text: { primary: '#e3e3e3', secondary: '#a8a8a8' },
    border: { dark: '#5f6368', light: '#3c4043' },
    responses: {
      success: { color: '#81c995', backgroundColor: '#1c2b21' },
      error: { color: '#f28b82', backgroundColor: '#2f1d1c' },
    },
  },
  schema: { nestedBackground: '#1f2226', typeNameColor: '#a8a8a8', linesColor: '#5f6368' },
  sidebar: { backgroundColor: '#1f2226', textColor: '#d0d0d0' },
  rightPanel: { backgroundColor: '#101214' },
  codeBlock: { backgroundColor: '#1f2226' },
};
const typography = (code: object) => ({ fontFamily: fonts, headings: { fontFamily: fonts }, code });
const themes = {
  light: { typography: typography({}) },
  dark: { ...dark, typography: typography({ color: '#f6aea9', backgroundColor: '#2a2d31' }) },
};

/** Asks nobody else for anything: no fonts, no samples. */
const script = `const themes = ${JSON.stringify(themes)};
const theme = themes[matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'];
const options = { theme, nativeScrollbars: true, hideSchemaPattern: true, showExtensions: true };
Redoc.init('/docs/openapi.json', options, document.getElementById('reference'));
`;

/** The page writes its styles itself, and searches in a worker that it makes. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  'worker-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The API as people read it, and the OpenAPI document that it is made of. Everything comes from local files. */
export function docsPages(): HttpPages {
  const headers = { 'content-security-policy': policy, 'x-content-type-options': 'nosniff' };
  const javascript = 'text/javascript; charset=utf-8';
  return {
    '/docs': { type: 'text/html; charset=utf-8', headers, read: () => Promise.resolve(page) },
    '/docs/show.js': { type: javascript, headers, read: () => Promise.resolve(script) },
    [`/docs/${viewer}`]: { type: javascript, headers, read: () => readFile(viewerPlace()) },
    '/docs/openapi.json': {
      type: 'application/json',
      headers,
      read: () => readFile(new URL('openapi.json', docs)),
    },
  };
}
