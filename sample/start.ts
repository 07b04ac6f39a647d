/**
 * `npm start`: the whole sync, end to end, on the sample company or on a real directory.
 *
 * Starts the sample directory (real LDAP over TLS), a Node-RED with the example flow, runs the sync once, prints the
 * report, and leaves the editor open until Ctrl-C.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asDirectorySyncError } from '../engine/model/errors.js';
import { type Arguments, USAGE, readArguments } from './arguments.js';
import { type Source, realSource, sampleSource } from './source.js';
import { exampleFlow, injectNodeId } from './flow.js';
import { printedReport } from './print.js';
import { RunWatcher } from './watcher.js';
import { type Runtime, startRuntime } from './runtime.js';
import { seedAccount } from './account.js';
import { judge, printedVerdict } from './verdict.js';
import { makeCertificates } from '../test/support/certificates.js';

const FOLDER = join(__dirname, '..', '..', '.sample');

const WHERE_SETTINGS_COME_FROM =
  'Here "servers" and "encryption" come from DIRECTORY_URL, "user" and "password" from DIRECTORY_USER and DIRECTORY_PASSWORD, the certificate of the authority from DIRECTORY_CA, "base" from DIRECTORY_BASE.';

async function main(): Promise<number> {
  const options = readArguments(process.argv.slice(2), process.env);
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const tell = (line: string) => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  mkdirSync(FOLDER, { recursive: true });
  const certificates = await makeCertificates(join(FOLDER, 'tls'));
  const source =
    options.directory === null ? await sampleSource(certificates, FOLDER) : realSource(options.directory, FOLDER);
  try {
    return await syncOnce(options, source, certificates, tell);
  } finally {
    await source.close();
  }
}

async function syncOnce(
  options: Arguments,
  source: Source,
  certificates: Awaited<ReturnType<typeof makeCertificates>>,
  tell: (line: string) => void,
): Promise<number> {
  if (options.fresh) for (const end of ['', '-wal', '-shm']) rmSync(`${source.account.file}${end}`, { force: true });
  const firstRun = !existsSync(source.account.file);
  await seedAccount(source);

  const flow = exampleFlow({
    directory: source.directory,
    source: source.name,
    receiver: { port: options.port + 1, ...certificates, key: certificates.key.slice(-96) },
    account: { file: source.account.file, domains: source.account.domains.join(', ') },
  });
  const watcher = new RunWatcher(tell);
  tell(`Reading ${source.title}`);
  const runtime = await startRuntime(join(FOLDER, 'node-red'), options.port, flow, watcher);
  tell(`Node-RED ${runtime.version} on Node.js ${process.versions.node}: ${runtime.editorUrl}`);
  try {
    return await runAndReport(options, source, runtime, watcher, injectNodeId(flow), firstRun, tell);
  } finally {
    await runtime.stop();
  }
}

async function runAndReport(
  options: Arguments,
  source: Source,
  runtime: Runtime,
  watcher: RunWatcher,
  injectId: string,
  firstRun: boolean,
  tell: (line: string) => void,
): Promise<number> {
  await runtime.inject(injectId);
  const { report, errors } = await watcher.ended();
  for (const error of errors) process.stderr.write(`${error}\n`);
  if (errors.length > 0 && options.directory !== null) process.stderr.write(`${WHERE_SETTINGS_COME_FROM}\n`);
  const verdict = report === null ? null : await judge(source, report, firstRun);
  const asItShouldBe = verdict !== null && verdict.faults.length === 0 && errors.length === 0;
  if (report !== null && verdict !== null) {
    tell(printedReport(report));
    tell(printedVerdict(verdict));
  }
  if (!options.once) {
    tell(`\nThe editor is at ${runtime.editorUrl}. The inject node starts another run. Ctrl-C ends.`);
    await interrupted();
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ asItShouldBe, report, errors, verdict })}\n`);
  return asItShouldBe ? 0 : 1;
}

function interrupted(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
}

main().then(
  (code) => process.exit(code),
  (thrown: unknown) => {
    const error = asDirectorySyncError(thrown);
    process.stderr.write(`${error.code}: ${error.message}\n`);
    if (error.code === 'UNEXPECTED' && thrown instanceof Error) process.stderr.write(`${String(thrown.stack)}\n`);
    process.exit(1);
  },
);
