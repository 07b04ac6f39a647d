/** The receiver's view of HTTP: what a request asks for, what of it is signed, and how answers and refusals are written. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ContractError, StoppedError, asDirectorySyncError } from '../model/errors.js';
import { ProblemError } from './problem.js';
import { METHOD, type Route, routesAt } from './protocol.js';
import { type Refusal, type SignedMessage, contentDigest } from './signature.js';

/** What Express adds where it mounts a handler: it cuts the mount path off `url`. */
type Mounted = IncomingMessage & { readonly originalUrl?: unknown; readonly baseUrl?: unknown };

const SIGNED_FIELDS = ['content-type', 'content-encoding', 'content-digest', 'signature-input', 'signature'];

/** The path as the sender wrote it, and the part of it below the receiver's base path; null where it is not below it. */
export function pathsOf(request: Mounted, base: string): { path: string; local: string | null } {
  const { url = '', originalUrl, baseUrl } = request;
  const path = typeof originalUrl === 'string' ? originalUrl : url;
  const mount = typeof baseUrl === 'string' ? baseUrl : '';
  const prefix = base.replace(/\/+$/, '');
  // Mounted by Express at the base path itself, or above it; else the path begins with the base.
  const below = [prefix, mount, mount + prefix].filter(
    (start) => start.endsWith(prefix) && path.startsWith(`${start}/`),
  );
  const longest = below.sort((a, b) => b.length - a.length)[0];
  return { path, local: longest === undefined ? null : path.slice(longest.length) };
}

/** The route that is asked for. Throws `ProblemError` `not-found` or `method-not-allowed`. */
export function routeOf(request: IncomingMessage, local: string | null): Route {
  const routes = local === null ? [] : routesAt(local);
  if (routes.length === 0)
    throw new ProblemError('not-found', 'See docs/protocol.md for the routes. None takes a query.');
  const route = routes.find(({ name }) => METHOD[name] === request.method);
  if (route) return route;
  const allowed = routes.map(({ name }) => METHOD[name]).join(', ');
  throw new ProblemError('method-not-allowed', `This route takes ${allowed}.`, { headers: { Allow: allowed } });
}

/** What of a request a signature covers. */
export function signedMessage(request: IncomingMessage, path: string): SignedMessage {
  const fields = new Map<string, string>();
  for (const name of SIGNED_FIELDS) {
    const value = field(request, name);
    if (value !== undefined) fields.set(name, value);
  }
  const authority = (field(request, 'host') ?? '').toLowerCase().replace(/:443$/, '');
  return { method: request.method ?? '', authority, path, fields };
}

/** A field's value; lines that repeat it are joined, so that none of them goes unseen (Node.js drops some of them). */
export function field(request: IncomingMessage, name: string): string | undefined {
  return request.headersDistinct[name]?.join(', ');
}

/** The media type of the content, without parameters. */
export function mediaType(request: IncomingMessage): string {
  return (field(request, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** Writes an answer in JSON, with its digest. */
export function answer(
  response: ServerResponse,
  status: number,
  type: string,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const content = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    ...headers,
    'Content-Type': type,
    'Content-Length': content.length,
    'Content-Digest': contentDigest(content),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(content);
}

const REFUSALS: Record<Refusal, string> = {
  'signature-refused':
    'Sign method, host, path and content with a shared key, as docs/protocol.md says. A proxy between must leave them as they are.',
  'signature-stale': 'It may be five minutes old. Compare the clocks.',
  'signature-replayed': 'Sign every request anew, with a nonce of its own.',
};

/** The problem for a request whose signature is not accepted. */
export function refused(refusal: Refusal): ProblemError {
  return new ProblemError(refusal, REFUSALS[refusal], { headers: { 'WWW-Authenticate': 'Signature' } });
}

/** Whatever was thrown below a route, as the problem to answer with. What nobody foresaw is not told to the sender. */
export function asProblem(thrown: unknown): ProblemError {
  if (thrown instanceof ProblemError) return thrown;
  if (thrown instanceof StoppedError) {
    const headers = { 'Retry-After': '5' };
    return new ProblemError('stopping', 'What was acknowledged is kept. Ask again.', { headers });
  }
  if (thrown instanceof ContractError) {
    return new ProblemError(thrown.code === 'TOO_LARGE' ? 'too-large' : 'not-valid', thrown.message);
  }
  const error = asDirectorySyncError(thrown);
  return new ProblemError('internal', 'Its log has more.', { cause: error });
}
