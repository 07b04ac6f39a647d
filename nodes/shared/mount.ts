/**
 * Paths under Node-RED's own server. One middleware stays for the life of the process and looks up who answers now:
 * Express cannot take a handler off again, and a redeployed node must not leave its predecessor in the chain.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import { SettingError } from '../../engine/model/errors.js';

/** Answers a request; its `url` is below Node-RED's `httpNodeRoot`, with the path that was mounted. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** The path as those who send write it: below the root that the administrator gave to Node-RED's own server. */
export function publicPath(RED: NodeAPI, path: string): string {
  const root = RED.settings.httpNodeRoot;
  return typeof root === 'string' ? `/${root}/${path}`.replace(/\/{2,}/g, '/') : path;
}

const mounted = new WeakMap<object, Map<string, Answer>>();

/** Answers everything at and below `path`, until the returned function is called. Throws `SettingError` where it is taken. */
export function mount(RED: NodeAPI, path: string, answer: Answer): () => void {
  const paths = pathsOf(RED);
  if (paths.has(path)) {
    throw new SettingError('PATH_IN_USE', {
      message: `Another directory-receive answers at ${path} already. Change the setting "path" of one of them, and deploy.`,
      status: 'path in use',
      params: { setting: 'path', path },
    });
  }
  paths.set(path, answer);
  return () => {
    if (paths.get(path) === answer) paths.delete(path);
  };
}

function pathsOf(RED: NodeAPI): Map<string, Answer> {
  // The types leave out that an administrator may switch Node-RED's server for nodes off.
  const server = RED.httpNode as NodeAPI['httpNode'] | false | undefined;
  if (!server) {
    throw new SettingError('NO_HTTP', {
      message:
        'Node-RED serves no HTTP for nodes here (httpNodeRoot is false). Give this node a port of its own in the setting "port".',
      status: 'port missing',
      params: { setting: 'port' },
    });
  }
  const known = mounted.get(server);
  if (known) return known;
  const paths = new Map<string, Answer>();
  mounted.set(server, paths);
  server.use((request, response, next) => {
    const answer = longestMatch(paths, request.path);
    if (answer) answer(request, response);
    else next();
  });
  return paths;
}

function longestMatch(paths: ReadonlyMap<string, Answer>, requested: string): Answer | undefined {
  const matches = [...paths].filter(
    ([path]) => requested === path || requested.startsWith(path.endsWith('/') ? path : `${path}/`),
  );
  return matches.sort(([left], [right]) => right.length - left.length)[0]?.[1];
}
