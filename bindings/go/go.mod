module vaccel

go 1.22
