-- How long each payload is, without the pages that hold what it says: an export states the sum before it begins.
CREATE INDEX payload_length ON payload(id, length(text), body_len);
