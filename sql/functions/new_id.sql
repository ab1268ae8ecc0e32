-- SPDX-License-Identifier: Apache-2.0
-- Ids are UUIDv7: 48 bits of milliseconds (they sort by time), version and variant bits, and in the
-- random part one byte of type number and one of shard number, so that an id alone names its table
-- and its database.
--   tttttttt-tttt-7rrr-vrrr-TTSSrrrrrrrr        t time, T type, S shard, r random (58 bits), v
--                                               variant

-- shard_no(): number of this database among several (0 to 255). A site that spreads users over
-- databases replaces it.
CREATE OR REPLACE FUNCTION genflow.shard_no() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0';

-- new_id(p_type): a new id for type number p_type (0: none). The time is the database server's;
-- hosts never send one.
CREATE OR REPLACE FUNCTION genflow.new_id(p_type integer) RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_byte(set_byte(
               -- version 4 becomes 7: two more bits
               set_bit(set_bit(
                   overlay(uuid_send(gen_random_uuid()) PLACING
                           substring(int8send((extract(epoch
                                                       FROM clock_timestamp()) * 1000)::bigint)
                                                           FROM 3) FROM 1),
                   52, 1), 53, 1),
               10, p_type), 11, genflow.shard_no()), 'hex')::uuid
$$;

-- id_at(p_at): the smallest id of that time. All ids made before it are smaller.
CREATE OR REPLACE FUNCTION genflow.id_at(p_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid
$$;

-- id_type(p_id): the type number in an id; 0 for an id that this module did not make. PostgreSQL
-- puts the expression in place of the call (t/sql/ids.pg): it has no FROM and no SET, and is not
-- STRICT.
CREATE OR REPLACE FUNCTION genflow.id_type(p_id uuid) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN get_byte(uuid_send(p_id), 6) >> 4 = 7 THEN get_byte(uuid_send(p_id), 10)
                ELSE 0 END
$$;
