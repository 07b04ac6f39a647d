/**
 * A real Node-RED for tests: a child process with a user directory of its own, into which this package is linked, or the
 * unpacked `npm pack` of it. Settings, credentials and flows are those of the admin API, as the editor uses it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const PACKAGE = '@dirflow/node-red-directory-sync';
const ROOT = resolve(__dirname, '..', '..', '..');
const EXAMPLE = join(ROOT, 'examples', '01 - End-to-end sync.json');
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 20_000;

/** The versions that are supported: aliases in this repository's development dependencies. */
export type NodeRedVersion = '4' | '5';
export const NODE_RED_VERSIONS: readonly NodeRedVersion[] = ['4', '5'];

/** A node of a flow file, with `credentials` where it has some. */
export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** The example flow as it is in the package: its settings have yet to be filled in. */
export function exampleFlow(): FlowNode[] {
  return JSON.parse(readFileSync(EXAMPLE, 'utf8')) as FlowNode[];
}

export interface NodeRedOptions {
  readonly version: NodeRedVersion;
  /** A user directory that is kept; by default a new one that `stop` deletes. */
  readonly userDir?: string;
  /** The folder of the package: by default this repository, else an unpacked pack. Null where `userDir` has it installed. */
  readonly packageFolder?: string | null;
  /** Further entries of settings.js, as JSON. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Who deploys, where the settings ask for a user. */
  readonly login?: { readonly username: string; readonly password: string };
  /** The Node.js to run on, where it is not the one that runs the tests. */
  readonly node?: string;
  /** Arguments of Node.js itself, such as `--require`. */
  readonly nodeArguments?: readonly string[];
}

export interface NodeRed {
  readonly url: string;
  readonly userDir: string;
  /** Everything that it printed, line by line. */
  readonly log: readonly string[];
  readonly process: ChildProcess;
  /** Replaces all flows and waits until they are started. */
  deploy(flows: readonly FlowNode[]): Promise<void>;
  /** Presses the button of an inject node. */
  inject(id: string): Promise<void>;
  /** The JSON of a path of the admin API. */
  get(path: string): Promise<unknown>;
  /** Waits for a line of the log; those printed already count too, from line `from` on. */
  line(pattern: RegExp, options?: { within?: number; from?: number }): Promise<string>;
  stop(): Promise<void>;
}

/** Starts Node-RED and resolves when its editor answers. */
export async function startNodeRed(options: NodeRedOptions): Promise<NodeRed> {
  const userDir = options.userDir ?? (await mkdtemp(join(tmpdir(), 'node-red-')));
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  await prepareUserDir(userDir, port, options);

  const program = join(ROOT, 'node_modules', `node-red-${options.version}`, 'red.js');
  const child = spawn(
    options.node ?? process.execPath,
    [...(options.nodeArguments ?? []), program, '--userDir', userDir],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_RED_HOME: undefined, NODE_OPTIONS: undefined },
    },
  );
  const log = collectLines(child);

  const stop = async () => {
    await end(child);
    if (options.userDir === undefined) await rm(userDir, { recursive: true, force: true, maxRetries: 5 });
  };
  let authorization: Record<string, string> = {};
  try {
    await editorAnswers(options.login === undefined ? `${url}/flows` : `${url}/auth/login`, child, log);
    if (options.login) authorization = { Authorization: `Bearer ${await tokenOf(url, options.login)}` };
  } catch (failure) {
    await stop();
    throw failure;
  }

  return {
    url,
    userDir,
    log,
    process: child,
    async deploy(flows) {
      const from = log.length;
      await request(`${url}/flows`, {
        method: 'POST',
        headers: { ...authorization, 'Content-Type': 'application/json', 'Node-RED-Deployment-Type': 'full' },
        body: JSON.stringify(flows),
      });
      const answer = await lineOf(log, child, /Started flows|Waiting for missing types/, { from });
      if (answer.includes('missing')) throw new Error(`Types are missing:\n${log.slice(from).join('\n')}`);
    },
    async inject(id) {
      await request(`${url}/inject/${encodeURIComponent(id)}`, { method: 'POST', headers: authorization });
    },
    async get(path) {
      const response = await request(url + path, { headers: { ...authorization, Accept: 'application/json' } });
      return (await response.json()) as unknown;
    },
    line: (pattern, lineOptions) => lineOf(log, child, pattern, lineOptions),
    stop,
  };
}

async function prepareUserDir(userDir: string, port: number, options: NodeRedOptions): Promise<void> {
  const settings = {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    credentialSecret: 'test',
    telemetry: { enabled: false, updateNotification: false },
    externalModules: { palette: { allowInstall: false } },
    editorTheme: { tours: false, projects: { enabled: false }, palette: { catalogues: [] } },
    logging: { console: { level: 'info', metrics: false, audit: false } },
    ...options.settings,
  };
  await writeFile(join(userDir, 'settings.js'), `module.exports = ${JSON.stringify(settings, null, 2)};\n`);

  const folder = options.packageFolder === undefined ? ROOT : options.packageFolder;
  if (folder === null) return;
  const dependencies = { [PACKAGE]: '*' };
  await writeFile(join(userDir, 'package.json'), JSON.stringify({ name: 'scratch', private: true, dependencies }));
  const link = join(userDir, 'node_modules', PACKAGE);
  await mkdir(dirname(link), { recursive: true });
  await rm(link, { force: true });
  // A junction needs no rights on Windows; other systems ignore the word.
  await symlink(folder, link, 'junction');
}

/** A port that was free a moment ago. Node-RED cannot be told to choose one itself. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}

function collectLines(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  return lines;
}

/** Logs a user in to the editor, as its page does. */
export async function tokenOf(url: string, login: { username: string; password: string }): Promise<string> {
  const asked = { client_id: 'node-red-admin', grant_type: 'password', scope: '', ...login };
  const response = await request(`${url}/auth/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(asked),
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return token;
}

async function editorAnswers(page: string, child: ChildProcess, log: readonly string[]): Promise<void> {
  const until = Date.now() + START_WITHIN_MS;
  while (Date.now() < until) {
    if (child.exitCode !== null) break;
    // The flows answer only once they are started, which is later than the page itself.
    const answered = await fetch(page).then(
      (response) => response.ok,
      () => false,
    );
    if (answered && log.some((line) => /Started flows|Waiting for missing types|flows stopped/i.test(line))) return;
    await pause(100);
  }
  throw new Error(`Node-RED did not start:\n${log.join('\n')}`);
}

async function lineOf(
  log: readonly string[],
  child: ChildProcess,
  pattern: RegExp,
  { within = 20_000, from = 0 }: { within?: number; from?: number } = {},
): Promise<string> {
  const until = Date.now() + within;
  for (;;) {
    const found = log.slice(from).find((line) => pattern.test(line));
    if (found !== undefined) return found;
    if (Date.now() > until || child.exitCode !== null) {
      throw new Error(`Node-RED did not print ${String(pattern)}:\n${log.slice(from).join('\n')}`);
    }
    await pause(50);
  }
}

async function request(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url} answered ${String(response.status)}: ${await response.text()}`);
  return response;
}

/** Asks it to end, and ends it if it does not. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolved) => child.once('exit', () => resolved()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(timer);
}

const pause = (milliseconds: number) => new Promise((resolved) => setTimeout(resolved, milliseconds));
