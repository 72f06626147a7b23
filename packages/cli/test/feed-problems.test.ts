/** A file that does not read is reported wherever an operator looks. */
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { makePtnRoot, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { checkDocuments } from '../dist/doctor/check-documents.js';
import { FeedUnderTest } from '../../feed/dist-test/feed-collector.js';
import { testApp } from '../../rest/dist-test/rest-fixture.js';

const STATISTICS = 'runnable/minerstatistics.json';

await t.test(
  'a file larger than a text can be is bad, is reported, and read again when it is not',
  async (t) => {
    const root = makePtnRoot(t, { files: { [STATISTICS]: '{"data": []}' } });
    const alerts: { topic: string; change: string }[] = [];
    const tested = new FeedUnderTest(t, root.path, {}, { alert: (alert) => alerts.push(alert) });
    await tested.feed.start();
    const file = root.join(STATISTICS);
    writeFileSync(file, '');
    truncateSync(file, 600 * 2 ** 20);
    const problems = () => tested.retained.get('sources', 'feed')?.problems ?? [];
    await waitFor(() => problems().length > 0, { what: 'the problem is reported' });
    const text = 'runnable/minerstatistics.json is larger than 500 MiB';
    t.same(problems(), [text]);
    t.match(tested.events('bad-file'), [{ reason: 'is larger than 500 MiB' }]);
    t.match(alerts, [{ topic: `file ${STATISTICS}`, change: 'raise' }]);
    t.match(checkDocuments({ ptnRoot: root.path }, Date.now())[0], {
      level: 'problem',
      detail: /minerstatistics\.json is larger than 500 MiB$/,
    });

    const { app, snapshots } = testApp(t);
    const ready = async () => (await app.inject('/readyz')).json<{ status: string; warnings?: string[] }>();
    t.strictSame(await ready(), { status: 'ready' });
    const sources = tested.retained.get('sources', 'feed');
    if (sources === undefined) throw new Error('the feed tells nothing');
    snapshots.apply([{ topic: 'sources', reset: true, put: [['feed', sources]], remove: [] }]);
    t.strictSame(await ready(), { status: 'ready', warnings: [text] });

    rmSync(file);
    root.writeFile(STATISTICS, '{"data": []}');
    await waitFor(() => alerts.length === 2, { what: 'it is over' });
    t.match(alerts[1], { topic: `file ${STATISTICS}`, change: 'clear' });
  },
);
