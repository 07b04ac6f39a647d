import assert from 'node:assert/strict';
import { freePort, hold, isFree, outcomeOf, programPath, programPaths, run, serve } from '../../support/programs.js';

const HOST = '127.0.0.1';

describe('programs for tests', () => {
  it('says which packages bring a program that is not installed, and does not skip the test', () => {
    assert.throws(
      () => programPaths(['no-such-server'], 'some-package'),
      /needs no-such-server\..*apt-get install.*some-package/,
    );
    assert.equal(programPath('no-such-server'), null);
  });

  it('gives what a program printed, and throws with its complaint', async () => {
    const script = 'process.stdin.pipe(process.stdout)';
    assert.equal(await run(process.execPath, ['-e', script], 'hello'), 'hello');
    await assert.rejects(run(process.execPath, ['-e', 'console.error("no"); process.exit(3)']), /ended with 3: no/);
    const { code, stderr } = await outcomeOf(process.execPath, ['-e', 'console.error("no"); process.exit(3)']);
    assert.deepEqual([code, stderr.trim()], [3, 'no']);
  });

  it('says so when a service ends before it listens', async () => {
    const service = serve(process.execPath, ['-e', 'console.error("port taken"); process.exit(1)']);
    await assert.rejects(service.listening(HOST, [1]), /ended with 1: port taken/);
    await service.stop();
  });

  it('lets one process at a time hold a port', async () => {
    const port = await freePort(HOST);
    const release = await hold(HOST, port);
    assert.ok(release);
    assert.equal(await hold(HOST, port), null);
    assert.equal(await isFree(HOST, port), false);
    await release();
    assert.equal(await isFree(HOST, port), true);
  });
});
