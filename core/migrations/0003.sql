-- Entries of an archive whose payload was not to be had out of a damaged bundle, or may not have been: the
-- next receipt asks for them. A row goes when the payload comes, when an intact bundle with the entry says
-- that there is none any more, and with what is erased.
CREATE TABLE lacking(
    entry INTEGER PRIMARY KEY
) STRICT;
