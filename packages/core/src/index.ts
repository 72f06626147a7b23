export { combineCrc32, crc32 } from './gzip/crc32.ts';
export {
  combineDigests,
  deflateSegment,
  gzipMember,
  inflateSegment,
  memberLayout,
  storedSegment,
} from './gzip/segment.ts';
export type { MemberLayout, Segment } from './gzip/segment.ts';
