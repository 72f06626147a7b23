import { pythonJsonWriter } from '@ptn-api/positions';
import type { PythonShape as Shape } from '@ptn-api/positions';

const PLAGIARISM: Shape = {
  fields: {
    event_id: 'plain',
    time: 'plain',
    plagiarist: 'plain',
    overall_score: 'float',
    trade_pairs: {
      values: {
        fields: {
          plagiarist_trade_pair: 'plain',
          victims: {
            items: {
              fields: {
                victim: 'plain',
                victim_trade_pair: 'plain',
                events: { items: { fields: { type: 'plain', score: 'float' } } },
              },
            },
          },
        },
      },
    },
  },
};

/** The plagiarism report of one miner. */
export const writePlagiarism = pythonJsonWriter(PLAGIARISM);
/** An object of text, flags and numbers that are ints when whole. */
export const writePlainMap = pythonJsonWriter({ values: 'plain' });
/** An object of such objects. */
export const writePlainMaps = pythonJsonWriter({ values: { values: 'plain' } });
