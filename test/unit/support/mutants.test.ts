/** The campaign of mutants: an explanation is of one mutant, and hides no other. */
import assert from 'node:assert/strict';
import { fits, unfitting } from '../../campaigns/mutation/explained.js';
import { type Mutant, plain } from '../../campaigns/mutation/mutants.js';
import { sqlSites } from '../../campaigns/mutation/sql-sites.js';

const mutant = (before: string, after: string, within = 'save'): Mutant => ({
  target: { file: 'engine/account/x.js', suites: [] },
  source: '',
  line: 1,
  from: '',
  to: '',
  within,
  before: plain(before),
  after: plain(after),
});
const explanation = {
  file: 'account/x.js',
  in: 'save',
  from: 'if (some)',
  to: 'if (true)',
  why: 'It saves work only.',
};

describe('explanations of mutants', () => {
  const before = 'function save() { if (some)\n return; if (other) go(1); }';

  it('fit what they change, however it stands in lines, and whatever is beside it', () => {
    assert.ok(fits(explanation, mutant(before, before.replace('some', 'true'))));
    const later = `${before} // more`;
    assert.ok(fits(explanation, mutant(later, later.replace('(some)\n', '(true) '))));
  });

  it('fit no other change, function or file', () => {
    assert.ok(!fits(explanation, mutant(before, before.replace('other', 'true'))));
    assert.ok(!fits(explanation, mutant(before, before.replace('some', 'false'))));
    assert.ok(!fits(explanation, mutant(before, before.replace('some', 'true').replace('1', '0'))));
    assert.ok(!fits(explanation, mutant(before, before.replace('some', 'true'), 'load')));
    assert.ok(!fits({ ...explanation, file: 'source/x.js' }, mutant(before, before.replace('some', 'true'))));
  });

  it('that could be of two changes fit none, and are told of', () => {
    const twice = 'function save() { if (some) a(); if (some) b(); }';
    const one = mutant(twice, twice.replace('some', 'true'));
    assert.ok(!fits(explanation, one));
    assert.deepEqual(unfitting([explanation], [one]), [explanation]);
    assert.ok(fits({ ...explanation, from: 'if (some) a', to: 'if (true) a' }, one));
  });

  it('are not needed where a row twice is a row once', () => {
    const united = (sql: string) => sqlSites(`\`${sql}\``).some(({ text }) => text === 'UNION');
    assert.ok(!united('DELETE FROM t WHERE a IN (SELECT a FROM b WHERE (c) UNION ALL SELECT a FROM d)'));
    assert.ok(united('INSERT INTO t SELECT a FROM b UNION ALL SELECT a FROM d'));
    assert.ok(united('INSERT INTO t SELECT a FROM (SELECT a FROM b UNION ALL SELECT a FROM d) q'));
  });
});
