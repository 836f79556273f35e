import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { textHeader } from '#libs/grpc';
import { openAnswer, type HttpRequest, type HttpResponse } from '../http/answer.ts';
import { createCors } from '../http/cors.ts';
import { openExchange, pathOf, type Door, type HandlerOptions } from '../http/handle-call.ts';

/** Where a bundle has the built console. Sources have none: then the gateway serves methods alone. */
const builtFolder = fileURLToPath(new URL('../../console/dist/', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** What a page may load, and from where: its own origin alone, nothing inline, and no text becomes a program. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const pageHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** Built names have the hash of their content, so what is behind one never changes. */
const forever = 'public, max-age=31536000, immutable';

const encodings = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
] as const;

interface BuiltFile {
  bodies: ReadonlyMap<string, Buffer>;
  headers: Readonly<Record<string, string>>;
  etag: string;
}

function readBuilt(name: string): BuiltFile {
  const path = join(builtFolder, name);
  const plain = readFileSync(path);
  const packed = encodings
    .filter(({ ending }) => existsSync(`${path}${ending}`))
    .map(({ name: encoding, ending }) => [encoding, readFileSync(`${path}${ending}`)] as const);
  return {
    bodies: new Map<string, Buffer>([...packed, ['identity', plain]]),
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    headers: {
      'content-type': types[extname(name)] ?? 'application/octet-stream',
      'cache-control': name.startsWith('assets/') ? forever : 'no-cache',
      vary: 'accept-encoding',
      ...pageHeaders,
    },
  };
}

/** All of it, some hundred kilobytes. */
function readAll(): ReadonlyMap<string, BuiltFile> {
  if (!existsSync(join(builtFolder, 'index.html'))) return new Map();
  const names = readdirSync(builtFolder, { recursive: true, encoding: 'utf8' });
  const served = names.map((name) => name.replaceAll('\\', '/')).filter((name) => extname(name) in types);
  return new Map(served.map((name) => [`/${name}`, readBuilt(name)]));
}

/** A refusal of a coding ("br;q=0") counts. */
function accepts({ headers }: HttpRequest, encoding: string): boolean {
  const codings = (textHeader(headers['accept-encoding']) ?? '').split(/\s*,\s*/);
  return codings.some((coding) => {
    const [name, ...parameters] = coding.split(/\s*;\s*/);
    return name?.toLowerCase() === encoding && !parameters.some((one) => /^q=0(\.0*)?$/i.test(one));
  });
}

/** Paths of the pages within the console. Those of methods have a dot, those of files too. */
const pagePath = /^\/[\w/-]*$/;

const isPage = (request: HttpRequest): boolean =>
  pagePath.test(pathOf(request)) && (textHeader(request.headers.accept) ?? '').includes('text/html');

interface PageAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body?: Buffer | undefined;
}

function answerWith(file: BuiltFile | undefined, request: HttpRequest): PageAnswer {
  if (file === undefined) return { status: 404, headers: {} };
  const headers: Record<string, string> = { ...file.headers, etag: file.etag };
  if (textHeader(request.headers['if-none-match']) === file.etag) return { status: 304, headers };
  const [encoding = '', body] = [...file.bodies].find(([name]) => name === 'identity' || accepts(request, name)) ?? [];
  if (encoding !== 'identity') headers['content-encoding'] = encoding;
  headers['content-length'] = String(body?.length ?? 0);
  return { status: 200, headers, body: request.method === 'HEAD' ? undefined : body };
}

const isAsset = (path: string): boolean => path.startsWith('/assets/');

/** Serves the console, where it has been built. */
export function openConsole(options: HandlerOptions): Door[] {
  const files = readAll();
  const index = files.get('/index.html');
  if (index === undefined) return [];
  const own = { ...options, cors: createCors([]) };
  const isHere = (path: string): boolean => path === '/' || isAsset(path) || files.has(path);
  const fileAt = (path: string): BuiltFile | undefined => files.get(path) ?? (isAsset(path) ? undefined : index);
  return [
    {
      isFor: (request) =>
        (request.method === 'GET' || request.method === 'HEAD') && (isHere(pathOf(request)) || isPage(request)),
      handle: async (request: HttpRequest, response: HttpResponse) => {
        const exchange = openExchange(request, response, own);
        const { status, headers, body } = answerWith(fileAt(pathOf(request)), request);
        const answer = openAnswer(response, exchange.headers);
        answer.begin(status, headers);
        request.resume();
        await answer.end(body);
      },
    },
  ];
}
