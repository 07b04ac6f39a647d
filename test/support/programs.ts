/** Runs the programs of a real directory server for tests: one that ends, or one that serves until it is told to stop. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';

/** A directory that a test may talk to, over LDAPS at `host` and `port`. */
export interface TestDirectory {
  readonly host: string;
  readonly port: number;
  /** The authority of its certificate, PEM. */
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  readonly base: string;
  /** The port without encryption, or with StartTLS. */
  readonly plainPort: number;
  stop(): Promise<void>;
}

/**
 * Where a program is: in one of the folders named first, or as usual; Debian keeps servers in a folder that is not in everybody's
 * PATH. Null where it is not installed.
 */
export function programPath(name: string, first: readonly string[] = []): string | null {
  const folders = [
    ...first,
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/local/sbin',
    '/usr/bin',
  ];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this one.
    }
  }
  return null;
}

/** The paths of programs that all must be there, by name; throws an error that says which packages bring them. */
export function programPaths<Name extends string>(names: readonly Name[], packages: string): Record<Name, string> {
  const found = names.map((name) => [name, programPath(name)] as const);
  const missing = found.filter(([, path]) => path === null).map(([name]) => name);
  if (missing.length > 0) {
    throw new Error(
      `This test needs ${missing.join(', ')}. On Debian: apt-get install --no-install-recommends ${packages}`,
    );
  }
  return Object.fromEntries(found) as Record<Name, string>;
}

/** How a program ended. */
export interface ProgramOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever that is. */
export async function outcomeOf(
  path: string,
  args: readonly string[],
  { input = '', env = process.env }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<ProgramOutcome> {
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  child.stdin.on('error', () => undefined).end(input);
  const code = await exitOf(child);
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Runs a program to its end and gives what it printed; throws with what it complained of. */
export async function run(path: string, args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await outcomeOf(path, args, { input });
  if (code !== 0) throw new Error(`${path} ended with ${String(code)}: ${(stdout + stderr).slice(-2000)}`);
  return stdout;
}

/** A program that serves until `stop`. */
export interface Service {
  /** Resolves when somebody listens at every address; rejects if the program ends before, with what it printed. */
  listening(host: string, ports: readonly number[], within?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a program that serves. It ends with this process, however this process ends normally. */
export function serve(path: string, args: readonly string[]): Service {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = collect(child.stdout, child.stderr);
  const ended = exitOf(child);
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    listening: (host, ports, within = 20_000) =>
      Promise.race([
        Promise.all(ports.map((port) => untilListening(host, port, within))).then(() => undefined),
        ended.then((code) => {
          throw new Error(`${path} ended with ${String(code)}: ${printed().slice(-2000)}`);
        }),
      ]),
    stop: async () => {
      process.removeListener('exit', kill);
      child.kill('SIGTERM');
      const timer = setTimeout(kill, 5000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** A port of `host` that is free now. */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Listens at a port until the given function is called; null where somebody else does already. */
export function hold(host: string, port: number): Promise<(() => Promise<void>) | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(null));
    server.listen(port, host, () => {
      server.unref();
      resolve(() => new Promise((closed) => server.close(() => closed())));
    });
  });
}

/** May this process listen at `port` of `host` now? */
export async function isFree(host: string, port: number): Promise<boolean> {
  const release = await hold(host, port);
  await release?.();
  return release !== null;
}

function collect(...streams: Readable[]): () => string {
  let text = '';
  for (const stream of streams) stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  return () => text;
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code));
  });
}

async function untilListening(host: string, port: number, within: number): Promise<void> {
  const until = Date.now() + within;
  while (!(await accepts(host, port))) {
    if (Date.now() > until) throw new Error(`Nobody listened at ${host}:${String(port)} within ${String(within)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
