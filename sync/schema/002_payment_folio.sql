-- A receipt that was lost or never printed is asked for with its folio.
CREATE INDEX payment_folio ON payment (json_extract(body, '$.folio'));
