/** Node-RED 5 inside this process, with this package as its only module beside the core's. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { join, resolve } from 'node:path';
import RED from 'node-red-5';
import { DirectorySyncError } from '../engine/model/errors.js';

const PACKAGE = '@dirflow/node-red-directory-sync';

/** What happens in the flow, for whoever watches. */
export interface FlowWatcher {
  /** A message left a node of the given type. */
  onMessage(type: string, message: { readonly topic?: unknown; readonly payload?: unknown }): void;
  /** A node reported an error. */
  onError(type: string, message: string): void;
}

/** A running Node-RED. */
export interface Runtime {
  readonly editorUrl: string;
  readonly version: string;
  /** Presses the button of an inject node. */
  inject(nodeId: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts Node-RED with `flow` deployed; resolves when the flow runs. `folder` keeps its settings between starts. */
export async function startRuntime(
  folder: string,
  port: number,
  flow: readonly object[],
  watcher: FlowWatcher,
): Promise<Runtime> {
  linkPackage(folder);
  for (const file of ['flows.json', 'flows_cred.json']) rmSync(join(folder, file), { force: true });

  const server = createServer();
  await listen(server, port);
  RED.init(server, {
    userDir: folder,
    flowFile: 'flows.json',
    // Nobody keeps it: what is stored of the directory's password is of no use after this process has ended.
    credentialSecret: randomBytes(32).toString('hex'),
    httpAdminRoot: '/',
    httpNodeRoot: '/api',
    uiHost: '127.0.0.1',
    uiPort: port,
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, projects: { enabled: false }, palette: { catalogues: [] } },
    logging: { console: { level: 'fatal', metrics: false, audit: false } },
  });
  server.on('request', (request, response) => {
    const handler = request.url?.startsWith('/api') === true ? RED.httpNode : RED.httpAdmin;
    handler(request, response);
  });
  watch(watcher);
  const editorUrl = `http://127.0.0.1:${String(port)}`;
  const empty = flowsStarted();
  await RED.start();
  await empty;
  await deploy(editorUrl, flow);
  return {
    editorUrl,
    version: RED.version(),
    async inject(nodeId) {
      const answer = await fetch(`${editorUrl}/inject/${nodeId}`, { method: 'POST' });
      if (!answer.ok) throw new Error('The inject node is not running: look at the errors above.');
    },
    async stop() {
      await RED.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Makes the package available to Node-RED as npm would: a folder of its user directory's node_modules. */
function linkPackage(folder: string): void {
  const link = join(folder, 'node_modules', PACKAGE);
  mkdirSync(join(link, '..'), { recursive: true });
  if (!existsSync(join(folder, 'package.json'))) {
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'sample', private: true, dependencies: { [PACKAGE]: '*' } }),
    );
  }
  rmSync(link, { force: true, recursive: false });
  symlinkSync(resolve(__dirname, '..', '..'), link, 'junction');
}

/** Deploys as the editor does, credentials included. */
async function deploy(editorUrl: string, flows: readonly object[]): Promise<void> {
  const started = flowsStarted();
  const answer = await fetch(`${editorUrl}/flows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'node-red-api-version': 'v2' },
    body: JSON.stringify({ flows }),
  });
  if (!answer.ok) throw new Error(`Node-RED refused the example flow: ${String(answer.status)} ${await answer.text()}`);
  await started;
}

function flowsStarted(): Promise<void> {
  return new Promise((ready) => RED.events.once('flows:started', ready));
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') {
        fail(error);
        return;
      }
      fail(portInUse(port));
    });
    server.listen(port, '127.0.0.1', done);
  });
}

/** The error for a port that somebody else listens on. */
export function portInUse(port: number): DirectorySyncError {
  return new DirectorySyncError('PORT_IN_USE', {
    message: `Port ${String(port)} of 127.0.0.1 is in use. Stop what listens there (another Node-RED?), or choose another with: npm start -- --port ${String(port + 10)}`,
    status: 'port in use',
    params: { port },
  });
}

function watch(watcher: FlowWatcher): void {
  RED.hooks.add('onSend.dirflow-sample', (events) => {
    for (const { msg, source } of events) watcher.onMessage(source.node.type, msg);
  });
  RED.log.addHandler({
    emit(_event, entry) {
      if (entry.level > RED.log.ERROR) return;
      const text = entry.msg instanceof Error ? entry.msg.message : String(entry.msg);
      watcher.onError(entry.type ?? 'Node-RED', text);
    },
  });
}
