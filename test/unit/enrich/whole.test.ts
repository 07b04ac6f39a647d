/** Enriching against the oracle: the sample company, and random directories with everything that memberships may be. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { EnrichSettings } from '../../../engine/enrich/settings.js';
import { companyEntries } from '../../support/company.js';
import { domainSid } from '../../support/directory/ids.js';
import { startDirectory } from '../../support/directory/index.js';
import { enrichedRun, membersByName, onlyOf } from '../../support/enriched.js';
import type { LdifEntry } from '../../support/ldif.js';
import { expectedMembers } from '../../support/oracle/records.js';
import { settingsFor } from '../ldap/reading.js';

const BASE = 'DC=example,DC=test';
const USER = 'CN=Reader,CN=Users,DC=example,DC=test';
const DOMAIN_USERS = `CN=Domain Users,CN=Users,${BASE}`;
/** What the simulator calls the domain. */
const SIDS = domainSid('example.test');

/** Enriches the entries by both ways, and compares with the oracle. */
async function compare(entries: readonly LdifEntry[], membersPerRecord: number, flattened: boolean): Promise<void> {
  const directory = await startDirectory({ entries, base: BASE, users: { [USER]: 'secret' } });
  try {
    const settings: EnrichSettings = {
      membersPerRecord,
      primaryGroups: true,
      dynamicLists: true,
      nested: flattened ? 'flattened' : 'carried',
    };
    const run = await enrichedRun(settingsFor(directory.port, { user: USER, pageSize: 100 }), settings);
    assert.deepEqual([run.seal.complete, run.incomplete], [true, []]);
    const rules = { primaryGroups: true, dynamicLists: true, flattened, domainUsers: DOMAIN_USERS };
    const expected = expectedMembers(entries, rules);
    assert.deepEqual(onlyOf(expected, membersByName(run.records, flattened)), expected);
  } finally {
    await directory.close();
  }
}

describe('enriching, compared with the oracle', function () {
  this.timeout(60_000);

  for (const flattened of [false, true]) {
    it(`the sample company, groups ${flattened ? 'flattened' : 'carried'}`, () =>
      compare(companyEntries(), 30, flattened));
  }

  it('would notice: another member, another filter or another primary group is another answer', () => {
    const entries = companyEntries();
    const rules = { primaryGroups: true, dynamicLists: true, flattened: false, domainUsers: DOMAIN_USERS };
    const answers = [
      rules,
      { ...rules, primaryGroups: false },
      { ...rules, dynamicLists: false },
      { ...rules, flattened: true },
    ].map((one) => JSON.stringify(expectedMembers(entries, one)));
    assert.equal(new Set(answers).size, answers.length);
  });

  it('200 random directories', async () => {
    await fc.assert(fc.asyncProperty(randomDirectory(), fc.integer({ min: 1, max: 4 }), fc.boolean(), compare), {
      numRuns: 200,
      seed: 4,
      endOnFailure: true,
    });
  });
});

/** People with primary groups, groups in groups in any cycle, contacts, dynamic lists. */
function randomDirectory(): fc.Arbitrary<LdifEntry[]> {
  const numbers = fc.nat({ max: 11 });
  return fc
    .record({
      people: fc.array(
        fc.record({ primary: fc.option(fc.nat({ max: 5 })), unit: fc.constantFrom('R', 'S'), mail: fc.boolean() }),
        {
          minLength: 1,
          maxLength: 12,
        },
      ),
      groups: fc.array(fc.record({ people: fc.uniqueArray(numbers), groups: fc.uniqueArray(fc.nat({ max: 5 })) }), {
        minLength: 1,
        maxLength: 6,
      }),
      lists: fc.array(
        fc.constantFrom('(department=R)', '(&(mail=*)(!(department=S)))', '(|(cn=p1*)(cn=g1))', '(cn=nobody)'),
        {
          maxLength: 2,
        },
      ),
    })
    .map(({ people, groups, lists }) => [
      ...people.map(({ primary, unit, mail }, number) => ({
        dn: personName(number),
        attributes: {
          objectClass: ['user'],
          cn: [`p${number}`],
          department: [unit],
          ...(mail ? { mail: [`p${number}@example.com`] } : { proxyAddresses: [`smtp:p${number}@example.com`] }),
          ...(primary === null || primary >= groups.length ? {} : { primaryGroupID: [String(5000 + primary)] }),
        },
      })),
      ...groups.map((group, number) => ({
        dn: groupName(number),
        attributes: {
          objectClass: ['group'],
          cn: [`g${number}`],
          objectSid: [`${SIDS}-${5000 + number}`],
          member: [
            ...group.people.filter((one) => one < people.length).map(personName),
            ...group.groups.filter((one) => one < groups.length).map(groupName),
          ],
        },
      })),
      ...lists.map((filter, number) => ({
        dn: `CN=d${number},${BASE}`,
        attributes: {
          objectClass: ['msExchDynamicDistributionList'],
          cn: [`d${number}`],
          msExchDynamicDLFilter: [filter],
          msExchDynamicDLBaseDN: [BASE],
        },
      })),
    ]);
}

const personName = (number: number) => `CN=p${number},${BASE}`;
const groupName = (number: number) => `CN=g${number},${BASE}`;
