-- SPDX-License-Identifier: Apache-2.0
-- Claim and start return the cost of a generation: a server that falls back to another provider
-- compares its prices with it. The functions of the types are made anew after each migration.
SELECT;
