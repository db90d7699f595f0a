-- A Mac names files with letters taken apart ("u" and two dots), and nobody types them like that.

CREATE OR REPLACE FUNCTION internal.words_of(said text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE SET search_path = ''
    AS $$
    SELECT DISTINCT left(word, 60)
    FROM regexp_split_to_table(lower(normalize(left(said, 1000), NFC)), '[\s!-/:-@\[-`{-~]+') AS word
    WHERE word <> ''
    LIMIT 40
$$;

SELECT internal.rebuild_lists();
